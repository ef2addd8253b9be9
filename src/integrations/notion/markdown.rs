//! Markdown as Notion's blocks.
//!
//! `pulldown-cmark` reads it, because `CommonMark` has too many rules to be read by the way.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use super::rich::{Style, pieces};

/// How deep Notion takes blocks within blocks in one request; what stands deeper moves up.
const DEEPEST: usize = 2;

/// The most pieces of rich text in one block.
const MOST_PIECES: usize = 100;

/// The most blocks, table cells and pieces of text that one call makes. Each is some hundred bytes on its way to Notion,
/// however short it was written.
const MOST_PARTS: usize = 10_000;

/// How deep lists and quotes may stand within each other. Deeper ones are no text that somebody wrote.
const DEEPEST_WRITTEN: usize = 50;

/// The most cells of tables. A row that is too short is filled up, so a wide table grows with every line below it.
const MOST_CELLS: usize = 20_000;

/// The blocks of a Markdown text.
///
/// # Errors
/// In words, when it is nested too deeply, or makes more than Notion takes in any way.
pub(super) fn blocks(text: &str) -> Result<Vec<Value>, String> {
    bounded(text)?;
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    let mut reader = Reader::default();
    for event in Parser::new_ext(text, options) {
        reader.take(event);
        if reader.open.len() > DEEPEST_WRITTEN {
            return Err(too_deep());
        }
        if reader.parts > MOST_PARTS {
            return Err(format!("it makes more than {MOST_PARTS} blocks and pieces; write it in several calls"));
        }
    }
    Ok(reader.finish())
}

/// Refuses what would grow while the parser builds its tree, before it does: it has no bounds of its own.
fn bounded(text: &str) -> Result<(), String> {
    let (mut columns, mut cells) = (0, 0);
    for line in text.lines() {
        if containers(line) > DEEPEST_WRITTEN {
            return Err(too_deep());
        }
        columns = if line.trim().is_empty() { 0 } else { columns.max(rule_columns(line)) };
        cells += columns;
        if cells > MOST_CELLS {
            return Err(format!("its tables have more than {MOST_CELLS} cells"));
        }
    }
    Ok(())
}

fn too_deep() -> String {
    format!("its lists and quotes are nested more than {DEEPEST_WRITTEN} levels deep")
}

/// How many quotes and items of lists a line begins. A line of nothing else is a rule.
fn containers(line: &str) -> usize {
    let (mut rest, mut count) = (line.trim_start(), 0);
    while let Some(after) = without_container(rest) {
        rest = after.trim_start();
        count += 1;
    }
    if rest.is_empty() && !line.contains('>') { 0 } else { count }
}

fn without_container(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix('>') {
        return Some(rest);
    }
    let digits = line.bytes().take(10).take_while(u8::is_ascii_digit).count();
    let rest = match digits {
        0 => line.strip_prefix(['-', '*', '+']),
        1..=9 => line[digits..].strip_prefix(['.', ')']),
        _ => None,
    }?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(rest)
}

/// How many columns a line gives to a table, if it is the rule between its head and its rows.
fn rule_columns(line: &str) -> usize {
    let is_rule = line.contains('-') && line.chars().all(|c| c.is_ascii_digit() || "|-: \t>*+.)".contains(c));
    if is_rule { line.matches('|').count() } else { 0 }
}

/// A block that is being read.
#[derive(Debug, Default)]
struct Open {
    kind: &'static str,
    rich: Vec<Value>,
    children: Vec<Value>,
    /// Whether the text has been closed, so that more of it is a block of its own.
    is_filled: bool,
    checked: Option<bool>,
    language: String,
}

#[derive(Debug, Default)]
struct Reader {
    /// How many blocks, cells and pieces there are.
    parts: usize,
    done: Vec<Value>,
    open: Vec<Open>,
    /// Whether each list around is numbered.
    lists: Vec<bool>,
    style: Style,
    rows: Vec<Value>,
    cells: Vec<Value>,
    cell: Option<Vec<Value>>,
    image: Option<(String, String)>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => self.write(&text),
            Event::Code(text) => {
                let style = Style { is_code: true, ..self.style.clone() };
                self.write_in(&text, &style);
            }
            Event::SoftBreak => self.write(" "),
            Event::HardBreak => self.write("\n"),
            Event::Rule => self.place(json!({ "object": "block", "type": "divider", "divider": {} })),
            Event::TaskListMarker(checked) => {
                if let Some(open) = self.open.last_mut() {
                    (open.kind, open.checked) = ("to_do", Some(checked));
                }
            }
            Event::FootnoteReference(name) => self.write(&format!("[{name}]")),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.begin_text(),
            Tag::Heading { level, .. } => self.begin(match level {
                HeadingLevel::H1 => "heading_1",
                HeadingLevel::H2 => "heading_2",
                _ => "heading_3",
            }),
            Tag::BlockQuote(_) => self.begin("quote"),
            Tag::CodeBlock(kind) => {
                self.begin("code");
                if let (Some(open), CodeBlockKind::Fenced(language)) = (self.open.last_mut(), kind) {
                    open.language = language.split_whitespace().next().unwrap_or_default().to_lowercase();
                }
            }
            Tag::List(first) => {
                self.fill();
                self.lists.push(first.is_some());
            }
            Tag::Item => {
                let is_numbered = self.lists.last().copied().unwrap_or_default();
                self.begin(if is_numbered { "numbered_list_item" } else { "bulleted_list_item" });
            }
            Tag::TableCell => {
                self.parts += 1;
                self.cell = Some(vec![]);
            }
            Tag::Emphasis => self.style.is_italic = true,
            Tag::Strong => self.style.is_bold = true,
            Tag::Strikethrough => self.style.is_struck = true,
            Tag::Link { dest_url, .. } => self.style.link = Some(dest_url.into_string()),
            Tag::Image { dest_url, .. } => self.image = Some((dest_url.into_string(), String::new())),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.end_text(),
            TagEnd::Heading(_) | TagEnd::BlockQuote(_) | TagEnd::CodeBlock | TagEnd::Item => self.close(),
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::TableCell => {
                let cell = self.cell.take().unwrap_or_default();
                self.cells.push(cell.into());
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let cells = std::mem::take(&mut self.cells);
                self.rows.push(json!({ "object": "block", "type": "table_row", "table_row": { "cells": cells } }));
            }
            TagEnd::Table => self.place_table(),
            TagEnd::Emphasis => self.style.is_italic = false,
            TagEnd::Strong => self.style.is_bold = false,
            TagEnd::Strikethrough => self.style.is_struck = false,
            TagEnd::Link => self.style.link = None,
            TagEnd::Image => self.place_image(),
            _ => {}
        }
    }

    /// A paragraph: the text of the item or quote that it is the first in, else a block of its own.
    fn begin_text(&mut self) {
        if self.open.last().is_none_or(|open| open.is_filled) {
            self.begin("paragraph");
        }
    }

    fn end_text(&mut self) {
        if self.open.last().is_some_and(|open| open.kind == "paragraph") {
            self.close();
        } else {
            self.fill();
        }
    }

    /// What comes next belongs below the block that is open.
    fn fill(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.is_filled = true;
        }
    }

    fn begin(&mut self, kind: &'static str) {
        self.fill();
        self.open.push(Open { kind, ..Open::default() });
    }

    fn write(&mut self, text: &str) {
        let style = self.style.clone();
        self.write_in(text, &style);
    }

    fn write_in(&mut self, text: &str, style: &Style) {
        if let Some((_, caption)) = &mut self.image {
            caption.push_str(text);
            return;
        }
        let more = pieces(text, style);
        self.parts += more.len();
        if let Some(cell) = &mut self.cell {
            cell.extend(more);
        } else if let Some(open) = self.open.last_mut().filter(|open| !open.is_filled) {
            open.rich.extend(more);
        } else {
            // A tight list goes on with text after a block.
            self.place(block("paragraph", more, vec![], json!({})));
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let more = match (open.kind, open.checked) {
            ("to_do", checked) => json!({ "checked": checked.unwrap_or_default() }),
            ("code", _) => json!({ "language": language(&open.language) }),
            _ => json!({}),
        };
        let rich = if open.kind == "code" { without_last_break(open.rich) } else { open.rich };
        // Blocks that stand deeper than Notion takes them follow the block that they stood in.
        let (children, after) = if self.open.len() < DEEPEST { (open.children, vec![]) } else { (vec![], open.children) };
        let is_empty = open.kind == "paragraph" && rich.is_empty();
        if !is_empty {
            self.place(block(open.kind, rich, children, more));
        }
        for child in after {
            self.place(child);
        }
    }

    fn place(&mut self, block: Value) {
        self.parts += 1;
        match self.open.last_mut() {
            Some(open) => {
                open.is_filled = true;
                open.children.push(block);
            }
            None => self.done.push(block),
        }
    }

    fn place_table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let width = rows.first().and_then(|row| row["table_row"]["cells"].as_array()).map_or(1, Vec::len);
        self.place(json!({ "object": "block", "type": "table", "table": {
            "table_width": width, "has_column_header": true, "has_row_header": false, "children": rows } }));
    }

    /// An image by its address, after the text that it stands in; one that is none stays as text.
    fn place_image(&mut self) {
        let Some((address, caption)) = self.image.take() else { return };
        if address.starts_with("https://") {
            let image = json!({ "type": "external", "external": { "url": address } });
            let image = json!({ "object": "block", "type": "image", "image": image });
            self.place_after_text(image);
        } else {
            self.write(&caption);
        }
    }

    fn place_after_text(&mut self, image: Value) {
        let is_paragraph = self.open.last().is_some_and(|open| open.kind == "paragraph");
        let paragraph = if is_paragraph { self.open.pop() } else { None };
        if let Some(text) = paragraph.filter(|paragraph| !paragraph.rich.is_empty()) {
            self.place(block("paragraph", text.rich, vec![], json!({})));
        }
        self.place(image);
        if is_paragraph {
            self.open.push(Open { kind: "paragraph", ..Open::default() });
        }
    }

    fn finish(mut self) -> Vec<Value> {
        while !self.open.is_empty() {
            self.close();
        }
        self.done
    }
}

fn block(kind: &str, rich: Vec<Value>, children: Vec<Value>, more: Value) -> Value {
    let mut content = more;
    content["rich_text"] = rich.into_iter().take(MOST_PIECES).collect();
    if !children.is_empty() {
        content["children"] = children.into();
    }
    json!({ "object": "block", "type": kind, kind: content })
}

fn without_last_break(mut rich: Vec<Value>) -> Vec<Value> {
    if let Some(Value::String(text)) = rich.last_mut().map(|piece| &mut piece["text"]["content"]) {
        text.truncate(text.trim_end_matches('\n').len());
    }
    rich
}

/// The name that Notion has for a language; it refuses all others.
fn language(name: &str) -> &str {
    match name {
        "rs" => "rust",
        "js" => "javascript",
        "ts" => "typescript",
        "py" => "python",
        "sh" | "zsh" => "shell",
        "yml" => "yaml",
        "md" => "markdown",
        "bash" | "c" | "c#" | "c++" | "css" | "diff" | "docker" | "go" | "graphql" | "html" | "java" | "javascript"
        | "json" | "kotlin" | "latex" | "lua" | "makefile" | "markdown" | "mermaid" | "perl" | "php" | "powershell"
        | "python" | "r" | "ruby" | "rust" | "sass" | "scala" | "shell" | "sql" | "swift" | "typescript" | "xml"
        | "yaml" => name,
        _ => "plain text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks as short lines: the kind, the text, and what stands inside.
    fn outline(blocks: &[Value], depth: usize) -> Vec<String> {
        let line = |block: &Value| {
            let kind = block["type"].as_str().unwrap();
            let content = &block[kind];
            let text: String = content["rich_text"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|piece| piece["text"]["content"].as_str().unwrap())
                .collect();
            let mut lines = vec![format!("{}{kind} {text}", "  ".repeat(depth))];
            lines.extend(outline(content["children"].as_array().map_or(&[], Vec::as_slice), depth + 1));
            lines
        };
        blocks.iter().flat_map(line).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(outline(&blocks(text).unwrap(), 0), expected, "{text}");
    }

    #[test]
    fn blocks_are_what_they_look_like() {
        check("# A\n\n## B\n\n#### C\n\nText\nmore", &["heading_1 A", "heading_2 B", "heading_3 C", "paragraph Text more"]);
        check("- a\n- b", &["bulleted_list_item a", "bulleted_list_item b"]);
        check("1. a\n2. b", &["numbered_list_item a", "numbered_list_item b"]);
        check("- [x] done\n- [ ] open", &["to_do done", "to_do open"]);
        check("> wise\n\n---\n\n```rs\nlet a;\n```", &["quote wise", "divider ", "code let a;"]);
        check("", &[]);
    }

    #[test]
    fn what_stands_within_stays_within_and_what_is_too_deep_moves_up() {
        check("- a\n  - b\n    - c\n      - d", &[
            "bulleted_list_item a",
            "  bulleted_list_item b",
            "    bulleted_list_item c",
            "    bulleted_list_item d",
        ]);
        check("- a\n\n  more\n\n- b", &["bulleted_list_item a", "  paragraph more", "bulleted_list_item b"]);
    }

    #[test]
    fn looks_links_tables_and_images() {
        let found = blocks("**bold** *it* `x` [l](https://e.example)").unwrap();
        let rich = &found[0]["paragraph"]["rich_text"];
        assert_eq!(rich[0]["annotations"], json!({ "bold": true }));
        assert_eq!(rich[4]["annotations"], json!({ "code": true }));
        assert_eq!(rich[6]["text"]["link"]["url"], "https://e.example");
        let table = blocks("| a | b |\n|---|---|\n| 1 | **2** |").unwrap();
        assert_eq!((table[0]["table"]["table_width"].as_u64(), table[0]["table"]["children"].as_array().map(Vec::len)), (Some(2), Some(2)));
        check("Look ![a cat](https://e.example/cat.png) here", &["paragraph Look ", "image ", "paragraph  here"]);
        assert_eq!(blocks("```nonsense\nx\n```").unwrap()[0]["code"]["language"], "plain text");
    }

    #[test]
    fn depth_and_growth_have_bounds() {
        let refused = |text: &str| blocks(text).expect_err("it is refused");
        assert!(blocks(&format!("{}a", "> ".repeat(DEEPEST_WRITTEN))).is_ok());
        assert!(refused(&format!("{}a", "> ".repeat(DEEPEST_WRITTEN + 1))).contains("50 levels deep"));
        assert!(refused(&format!("{}a", "- ".repeat(DEEPEST_WRITTEN + 1))).contains("50 levels deep"));
        let stairs = (0..60).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect::<Vec<_>>().concat();
        assert!(refused(&stairs).contains("50 levels deep"));
        assert!(blocks(&"- ".repeat(100)).is_ok(), "a rule is no list");
        let table = format!("{}\n{}\n{}", "|a".repeat(50), "|-".repeat(50), "a\n".repeat(500));
        assert!(refused(&table).contains("cells"));
        assert!(refused(&"a\n\n".repeat(MOST_PARTS)).contains("several calls"));
        assert!(blocks(&"A line of a long text.\n\n".repeat(2_000)).is_ok());
    }
}
