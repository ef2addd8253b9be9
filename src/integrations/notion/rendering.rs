//! Notion's blocks as Markdown.

use serde_json::Value;

use super::rich::markdown;

/// A block with what stands inside it.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) value: Value,
    pub(super) children: Vec<Block>,
    /// Something inside was not fetched.
    pub(super) is_cut: bool,
}

/// The Markdown of blocks.
pub(super) fn render(blocks: &[Block]) -> String {
    let mut lines = Vec::new();
    write(blocks, 0, &mut lines);
    lines.join("\n")
}

fn write(blocks: &[Block], depth: usize, lines: &mut Vec<String>) {
    let mut number = 0;
    let mut before = "";
    for block in blocks {
        let kind = block.value["type"].as_str().unwrap_or_default();
        number = if kind == "numbered_list_item" { number + 1 } else { 0 };
        // A blank line between blocks, except between the items of a list.
        let is_in_list = is_item(kind) && is_item(before);
        if depth == 0 && !lines.is_empty() && !is_in_list {
            lines.push(String::new());
        }
        let indent = "  ".repeat(depth);
        lines.extend(text(&block.value, kind, number, &block.children).lines().map(|line| format!("{indent}{line}")));
        if block.is_cut {
            lines.push(format!("{indent}  (more inside: {})", block.value["id"].as_str().unwrap_or_default()));
        }
        // The rows of a table are its text.
        if kind != "table" {
            write(&block.children, depth + 1, lines);
        }
        before = kind;
    }
}

fn is_item(kind: &str) -> bool {
    matches!(kind, "bulleted_list_item" | "numbered_list_item" | "to_do" | "toggle")
}

fn text(block: &Value, kind: &str, number: usize, children: &[Block]) -> String {
    let content = &block[kind];
    let rich = markdown(&content["rich_text"]);
    let id = block["id"].as_str().unwrap_or_default();
    match kind {
        "heading_1" => format!("# {rich}"),
        "heading_2" => format!("## {rich}"),
        "heading_3" | "heading_4" => format!("### {rich}"),
        "bulleted_list_item" | "toggle" => format!("- {rich}"),
        "numbered_list_item" => format!("{number}. {rich}"),
        "to_do" => format!("- [{}] {rich}", if content["checked"] == true { "x" } else { " " }),
        "quote" | "callout" => rich.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"),
        "code" => format!("```{}\n{}\n```", content["language"].as_str().unwrap_or_default(), super::rich::words(&content["rich_text"])),
        "equation" => format!("$${}$$", content["expression"].as_str().unwrap_or_default()),
        "divider" => "---".into(),
        "table" => table(children),
        "child_page" => format!("Page: {} [{id}]", content["title"].as_str().unwrap_or_default()),
        "child_database" => format!("Database: {} [{id}]", content["title"].as_str().unwrap_or_default()),
        "image" | "video" | "file" | "pdf" | "audio" => file(kind, content),
        "bookmark" | "embed" | "link_preview" => content["url"].as_str().unwrap_or_default().to_owned(),
        "paragraph" => rich,
        _ if !rich.is_empty() => rich,
        _ => format!("({})", kind.replace('_', " ")),
    }
}

/// A file by its name or caption. The address of one that Notion keeps ends after an hour.
fn file(kind: &str, content: &Value) -> String {
    let caption = markdown(&content["caption"]);
    let name = content["name"].as_str().filter(|_| caption.is_empty()).unwrap_or(&caption);
    let name = if name.is_empty() { kind } else { name };
    let address = content["external"]["url"].as_str().or(content["file"]["url"].as_str()).unwrap_or_default();
    let sign = if kind == "image" { "!" } else { "" };
    format!("{sign}[{name}]({address})")
}

fn table(rows: &[Block]) -> String {
    let cells = |row: &Block| {
        let cells = row.value["table_row"]["cells"].as_array().cloned().unwrap_or_default();
        let cells: Vec<_> = cells.iter().map(|cell| markdown(cell).replace('|', "\\|").replace('\n', " ")).collect();
        (cells.len(), format!("| {} |", cells.join(" | ")))
    };
    let mut lines: Vec<_> = rows.iter().map(cells).collect();
    if let Some((width, _)) = lines.first() {
        let rule = (*width, format!("|{}", "---|".repeat(*width)));
        lines.insert(1, rule);
    }
    lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn block(kind: &str, content: Value, children: Vec<Block>) -> Block {
        Block { value: json!({ "id": "b1", "type": kind, kind: content }), children, is_cut: false }
    }

    fn rich(text: &str) -> Value {
        json!({ "rich_text": [{ "type": "text", "plain_text": text, "annotations": {} }] })
    }

    #[test]
    fn blocks_read_as_markdown() {
        let row = |text: &str| {
            let cell = rich(text)["rich_text"].clone();
            block("table_row", json!({ "cells": [cell, cell] }), vec![])
        };
        let mut to_do = rich("open");
        to_do["checked"] = json!(false);
        let blocks = [
            block("heading_2", rich("Plan"), vec![]),
            block("bulleted_list_item", rich("a"), vec![block("paragraph", rich("inside"), vec![])]),
            block("to_do", to_do, vec![]),
            block("numbered_list_item", rich("one"), vec![]),
            block("numbered_list_item", rich("two"), vec![]),
            block("table", json!({}), vec![row("h"), row("1")]),
            block("child_page", json!({ "title": "Below" }), vec![]),
            block("unsupported", json!({}), vec![]),
        ];
        let expected = "## Plan\n\n- a\n  inside\n- [ ] open\n1. one\n2. two\n\n| h | h |\n|---|---|\n| 1 | 1 |\n\n\
                        Page: Below [b1]\n\n(unsupported)";
        assert_eq!(render(&blocks), expected);
    }
}
