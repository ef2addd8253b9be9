//! HTML as Markdown: mails, pages and comments come as HTML, and a model reads Markdown at a tenth of the cost.
//!
//! `htmd` walks the page with the parser of a browser engine, because mails are written by thousands of programs and
//! hardly ever valid. What is ours is the taste: nothing that is hidden, no pictures without words, no tables that only
//! make a layout, no trackers behind links.
//!
//! And the bounds, because a page comes from strangers and both the parser and the walk take what they are given:
//! `scan` looks at the page before any parser does, `tree` counts while the tree grows and weighs it before it is
//! walked, and a page beyond any bound is shown as its mere `text`. All of it belongs into the pool of `compute`, whose
//! stacks are made for the depth that is let through and whose time limit ends the work.

mod scan;
mod text;
mod tree;

use std::{rc::Rc, sync::LazyLock};

use htmd::{
    Element, HtmlToMarkdown, Node,
    element_handler::{HandlerResult, Handlers},
    options::{BrStyle, BulletListMarker, Options},
};

use crate::compute;

/// The longest page that is read, in bytes; what is behind is left out.
const LONGEST: usize = 2 * 1024 * 1024;

/// What nobody reads.
const SKIPPED: [&str; 9] = ["head", "script", "style", "title", "noscript", "svg", "object", "iframe", "form"];

/// Elements that stand apart from the text around them, as `CommonMark` lists them.
const BLOCKS: [&str; 66] = [
    "address",
    "article",
    "aside",
    "base",
    "basefont",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "legend",
    "li",
    "link",
    "main",
    "menu",
    "menuitem",
    "nav",
    "noframes",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "pre",
    "script",
    "search",
    "section",
    "style",
    "summary",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "track",
    "ul",
];

/// Parameters of addresses that only count readers.
const TRACKERS: [&str; 4] = ["utm_", "mc_cid", "mc_eid", "_hsenc"];

static CONVERTER: LazyLock<HtmlToMarkdown> = LazyLock::new(|| {
    let options = Options {
        br_style: BrStyle::TwoSpaces,
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        ..Options::default()
    };
    HtmlToMarkdown::builder()
        .options(options)
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["img"], picture)
        .add_handler(vec!["a"], link)
        .add_handler(vec!["td", "th"], cell)
        .add_handler(vec!["tr"], row)
        .add_handler(vec!["table", "tbody", "thead", "tfoot", "center"], block)
        .add_handler(vec!["div", "span", "p", "section", "td"], unless_hidden)
        .add_handler(vec!["code"], code)
        .build()
});

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its words, as Markdown or, where it went beyond a bound, as mere text.
    pub text: String,
    /// Which bound that was.
    pub reduced: Option<TooMuch>,
}

/// The bound that a page went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// More tags than any mail has.
    Tags,
    /// Elements within elements, or formats that are never closed.
    Depth,
    /// More elements and texts than any mail has.
    Nodes,
    /// It is damaged or nested so that the work would grow faster than the page.
    Work,
    /// The time for it was up.
    Time,
}

impl TooMuch {
    /// What a reader is told about it.
    pub fn note(self) -> &'static str {
        match self {
            TooMuch::Tags | TooMuch::Nodes => {
                "Shown as text only: its HTML has too many parts. Words that it hides are shown, too."
            }
            TooMuch::Depth => "Shown as text only: its HTML is nested too deeply. Words that it hides are shown, too.",
            TooMuch::Work => "Shown as text only: its HTML is too tangled. Words that it hides are shown, too.",
            TooMuch::Time => "Shown as text only: its HTML took too long to read. Words that it hides are shown, too.",
        }
    }
}

/// The page as Markdown: without what is hidden, with plain tables as lines, and never longer than it needs to be. A
/// page beyond the bounds becomes its mere text.
///
/// Pages of others are read in the pool: `compute::run(move || html::to_markdown(&page)).await`.
///
/// ```
/// # use switchboard::tool::html;
/// assert_eq!(html::to_markdown("<p>Hello <b>Ana</b></p><p hidden>x</p>").text, "Hello **Ana**");
/// ```
pub fn to_markdown(html: &str) -> Page {
    let html = &html[..html.floor_char_boundary(LONGEST)];
    let (cleaned, beyond) = scan::clean(html);
    match beyond.map_or_else(|| walked(&cleaned), Err) {
        Ok(markdown) => Page { text: tidy(&markdown), reduced: None },
        Err(bound) => Page { text: tidy(&text::of(&cleaned)), reduced: Some(bound) },
    }
}

fn walked(cleaned: &str) -> Result<String, TooMuch> {
    let tree = tree::parse(cleaned)?;
    let markdown = CONVERTER.tree_to_markdown(&tree);
    // What was walked after the time was up is missing.
    if compute::should_stop() { Err(TooMuch::Time) } else { Ok(markdown) }
}

/// A text in which the five characters of HTML are written out, such as a snippet.
pub fn unescaped(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A picture is its description; most have none and are there to count readers.
fn picture(_: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let alt = attribute(&element, "alt").unwrap_or_default();
    let alt = alt.split_whitespace().collect::<Vec<_>>().join(" ");
    if alt.is_empty() || is_hidden(&element) { None } else { Some(format!("[{alt}]").into()) }
}

/// A link without its trackers; one without words is none.
fn link(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let words = children(handlers, element.node);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let address = attribute(&element, "href").map(|address| without_trackers(address.trim())).unwrap_or_default();
    if words.is_empty() {
        return None;
    }
    let plain = address.trim_start_matches("mailto:").trim_end_matches('/');
    let is_named = words != plain && words != address;
    let leads = ["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme));
    match (leads, is_named) {
        (true, true) => Some(format!("[{words}]({address})").into()),
        _ => Some(words.into()),
    }
}

fn without_trackers(address: &str) -> String {
    let Some((base, query)) = address.split_once('?') else { return address.to_owned() };
    let kept = query.split('&').filter(|pair| !TRACKERS.iter().any(|begin| pair.starts_with(begin)));
    let kept = kept.collect::<Vec<_>>().join("&");
    if kept.is_empty() { base.to_owned() } else { format!("{base}?{kept}") }
}

/// What ends a cell until its row is whole; the converter would eat blanks at its end.
const CELL: char = '\u{1f}';
/// What begins a cell that holds paragraphs, headings or lists rather than words.
const BLOCK: char = '\u{1e}';

fn cell(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    if is_hidden(&element) {
        return None;
    }
    let inside = children(handlers, element.node);
    let (words, begin) = (inside.trim(), if inside.starts_with('\n') { BLOCK } else { ' ' });
    if words.is_empty() { None } else { Some(format!("{begin}{words}{CELL}").into()) }
}

/// Cells of words stand side by side in one line; where one has lines of its own, or a block is all that there is, the
/// table makes a layout. Outlook puts a paragraph into every cell, so blocks beside each other are cells.
fn row(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let cells = children(handlers, element.node);
    let cells: Vec<_> = cells.split(CELL).map(str::trim).filter(|cell| !cell.is_empty()).collect();
    if let [cell] = cells[..]
        && let Some(block) = cell.strip_prefix(BLOCK)
    {
        return Some(format!("\n\n{block}\n\n").into());
    }
    let cells: Vec<_> = cells.iter().map(|cell| cell.trim_start_matches(BLOCK)).collect();
    let between = if cells.iter().any(|cell| cell.contains('\n')) { "\n\n" } else { " | " };
    if cells.is_empty() { None } else { Some(format!("{}\n", cells.join(between)).into()) }
}

fn block(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let inside = children(handlers, element.node);
    let inside = inside.trim_matches('\n');
    if inside.trim().is_empty() { None } else { Some(format!("\n\n{inside}\n\n").into()) }
}

/// Goes on to what comes next for this element, unless nobody sees it.
fn unless_hidden(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    if is_hidden(&element) || compute::should_stop() { None } else { handlers.fallback(element) }
}

/// Code within a line, in as many backticks as it takes; blocks of it are as the library has them.
fn code(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    if is_block_of_code(&element) {
        return handlers.fallback(element);
    }
    let words = children(handlers, element.node);
    let words = words.trim();
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let marks = "`".repeat(longest + 1);
    let space = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
    Some(format!("{marks}{space}{words}{space}{marks}").into())
}

fn is_block_of_code(element: &Element) -> bool {
    let parent = element.node.parent.take();
    let above = parent.as_ref().and_then(std::rc::Weak::upgrade);
    element.node.parent.set(parent);
    above.is_some_and(|above| tree::name(&above) == Some("pre"))
}

/// What stands in an element; nothing more once the time is up.
fn children(handlers: &dyn Handlers, node: &Rc<Node>) -> String {
    if compute::should_stop() { String::new() } else { handlers.walk_children(node).content }
}

fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attrs.iter().find(|one| &*one.name.local == name).map(|one| &*one.value)
}

/// Whether a style or an attribute hides the element: preheaders and texts for filters.
fn is_hidden(element: &Element) -> bool {
    let style: String =
        attribute(element, "style").unwrap_or_default().to_ascii_lowercase().split_whitespace().collect();
    let hides = ["display:none", "visibility:hidden", "mso-hide:all", "max-height:0", "font-size:0", "opacity:0;"];
    attribute(element, "hidden").is_some() || hides.iter().any(|rule| style.contains(rule) && !is_more(&style, rule))
}

/// `font-size:0.9em` begins like `font-size:0` and hides nothing.
fn is_more(style: &str, rule: &str) -> bool {
    let after = style.split_once(rule).and_then(|(_, rest)| rest.chars().next());
    rule.ends_with('0') && matches!(after, Some('.' | '0'..='9'))
}

/// Without blanks at ends of lines and without more than one empty line in a row.
fn tidy(markdown: &str) -> String {
    let mut whole = String::new();
    let mut empty = 0;
    for line in markdown.lines() {
        // Invisible fillers push the preheader of a mail apart.
        let line = line.trim_end().trim_matches(['\u{200b}', '\u{200c}', '\u{200d}', '\u{feff}', '\u{34f}', '\u{ad}']);
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            whole.push_str(line.trim_end());
            whole.push('\n');
        }
    }
    whole.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, markdown: &str) {
        assert_eq!(to_markdown(html), Page { text: markdown.to_owned(), reduced: None }, "{html}");
    }

    #[test]
    fn words_keep_their_weight() {
        check("<h2>News</h2><p>A <b>bold</b> and <i>fine</i> word</p>", "## News\n\nA **bold** and *fine* word");
        check("<ul><li>one</li><li>two</li></ul>", "- one\n- two");
        check("<blockquote>Said before</blockquote>", "> Said before");
        check("a<br>b", "a\nb");
    }

    #[test]
    fn what_is_hidden_stays_so() {
        check("<div style=\"display: none\">pre</div><p>seen</p>", "seen");
        check("<span style='font-size:0px'>x</span><span style='font-size:0.9em'>seen</span>", "seen");
        check("<style>p{}</style><script>x()</script><title>t</title><p>seen</p>", "seen");
        check("<img src='https://t.example/1.gif'><img src='x' alt='A robot'>", "[A robot]");
    }

    #[test]
    fn links_lose_their_trackers() {
        check("<a href='https://a.example/x?id=1&amp;utm_source=mail'>read</a>", "[read](https://a.example/x?id=1)");
        check("<a href='https://a.example/'>https://a.example</a>", "https://a.example");
        check("<a href='mailto:a@b.example'>a@b.example</a> <a href='javascript:x()'>x</a>", "a@b.example x");
        check("<a href='https://a.example'><img src='x'></a>done", "done");
    }

    #[test]
    fn a_layout_is_no_table() {
        let page = "<table><tr><td><table><tr><td><h1>Title</h1></td></tr><tr><td><p>Text</p></td></tr></table></td></tr></table>";
        check(page, "# Title\n\nText");
        check("<table><tr><td><p>One.</p></td></tr><tr><td><p>Two.</p></td></tr></table>", "One.\n\nTwo.");
        check("<table><tr><td>one</td></tr><tr><td>two</td></tr></table>", "one\ntwo");
        check(
            "<table><tr><th>Fair</th><th>City</th></tr><tr><td>Automatica</td><td>Munich</td></tr></table>",
            "Fair | City\nAutomatica | Munich",
        );
        check(
            "<table><tr><td><p>Fair</p></td><td><p>City</p></td></tr><tr><td><p>A</p></td><td><p>B</p></td></tr></table>",
            "Fair | City\nA | B",
        );
    }

    #[test]
    fn damaged_pages_are_read_all_the_same() {
        check("<p>open <b>bold", "open **bold**");
        check("", "");
        check("just text &amp; more", "just text & more");
        assert!(to_markdown(&"<div>".repeat(300)).text.is_empty());
        assert_eq!(unescaped("Ana &amp; Ben&#39;s &lt;x&gt;"), "Ana & Ben's <x>");
    }

    #[test]
    fn code_stands_in_backticks() {
        check("<p>Call <code>run()</code></p>", "Call `run()`");
        check("<code>a`b</code> <code>`c</code>", "``a`b`` `` `c ``");
        check("<pre><code>one\ntwo</code></pre>", "```\none\ntwo\n```");
    }

    #[track_caller]
    fn check_reduced(html: &str, text: &str, bound: TooMuch) {
        assert_eq!(to_markdown(html), Page { text: text.to_owned(), reduced: Some(bound) });
    }

    #[test]
    fn a_page_beyond_the_bounds_is_its_text() {
        let deep = "<div>".repeat(tree::MOST_DEPTH);
        check_reduced(&format!("{deep}<p>Hello <b>Ana</b>,<br>A&amp;B<p>C"), "Hello Ana,\nA&B\nC", TooMuch::Depth);
        let many = "<b>".repeat(scan::MOST_TAGS);
        check_reduced(&format!("Hello{many}<p>Ana"), "Hello\nAna", TooMuch::Tags);
    }

    /// The deepest page of each kind that is let through, on the stack that the pool gives.
    #[tokio::test]
    async fn the_deepest_page_fits_into_the_stack_of_the_pool() {
        for tag in [
            "div",
            "blockquote",
            "table><tr><td",
            "ul><li",
            "ol><li",
            "span",
            "section",
            "center",
            "b",
            "em",
            "a href=x><p",
            "pre",
            "code",
            "x-y",
            "h1",
            "dl><dd",
        ] {
            let levels = (tree::MOST_DEPTH - 5) / tag.split('>').count();
            let page = format!("{}a", format!("<{tag}>").repeat(levels));
            let read = compute::run(move || to_markdown(&page)).await.unwrap();
            assert!(read.text.contains('a') || tag == "pre", "{tag}");
        }
    }

    #[tokio::test]
    async fn a_page_that_nobody_waits_for_any_longer_is_given_up() {
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (ended, has_ended) = std::sync::mpsc::channel();
        let reading = compute::run(move || {
            begun.send(()).unwrap();
            while !compute::should_stop() {
                std::thread::yield_now();
            }
            ended.send(to_markdown("<p>Hello <b>Ana</b></p>")).unwrap();
        });
        let mut reading = Box::pin(reading);
        let waker = std::task::Waker::noop();
        assert!(reading.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        has_begun.recv().unwrap();
        drop(reading);
        assert_eq!(has_ended.recv().unwrap(), Page { text: "Hello Ana".into(), reduced: Some(TooMuch::Time) });
    }
}
