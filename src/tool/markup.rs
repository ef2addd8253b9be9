//! What is in a page beyond what its reader sees: hidden words, comments, pictures that are fetched, addresses.
//!
//! This is no parser of HTML and needs none: it walks over the tags once, from the front, keeps at most [`DEEPEST`] of
//! them in mind and builds nothing. Where it cannot tell whether words are seen it says that they are hidden, because it
//! is asked before a page leaves the house.

use super::Leads;

/// How many open elements are kept in mind.
const DEEPEST: usize = 256;

/// Elements without an end.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 18] = [
    "p",
    "div",
    "br",
    "tr",
    "li",
    "table",
    "section",
    "article",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "hr",
];

/// Elements whose inside is no text for readers.
const SILENT: [&str; 5] = ["script", "style", "title", "noscript", "template"];

/// Attributes that make a reader's program ask another host by itself.
const FETCHED: [&str; 8] = ["src", "srcset", "background", "poster", "data", "lowsrc", "dynsrc", "xlink:href"];

/// Elements whose `href` is fetched rather than offered.
const FETCHING: [&str; 3] = ["link", "base", "image"];

/// What a page holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markup {
    /// The words that are seen, roughly as lines.
    pub text: String,
    /// Words that are there and not seen.
    pub hidden: Vec<String>,
    /// What is fetched when the page is opened: pictures, styles.
    pub fetched: Leads,
    /// What a reader can follow.
    pub links: Leads,
}

struct Open<'a> {
    name: &'a str,
    hides: bool,
}

struct Walk<'a> {
    found: Markup,
    open: Vec<Open<'a>>,
    /// How many of the open elements hide what is in them.
    hiding: usize,
}

impl Markup {
    /// Looks through a page.
    pub fn read(html: &str) -> Markup {
        let mut walk = Walk { found: Markup::default(), open: Vec::new(), hiding: 0 };
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            walk.words(&rest[..at]);
            rest = walk.tag(&rest[at + 1..]);
        }
        walk.words(rest);
        let mut found = walk.found;
        found.text = found.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        found
    }
}

impl<'a> Walk<'a> {
    /// Takes what stands behind `<`, and gives back what comes after it.
    fn tag(&mut self, rest: &'a str) -> &'a str {
        if let Some(comment) = rest.strip_prefix("!--") {
            let (inside, after) = comment.split_once("-->").unwrap_or((comment, ""));
            self.hide(inside);
            return after;
        }
        if rest.starts_with(['!', '?']) {
            return rest.split_once('>').map_or("", |(_, after)| after);
        }
        if let Some(end) = rest.strip_prefix('/') {
            let (name, after) = end.split_once('>').unwrap_or((end, ""));
            self.close(name.trim());
            return after;
        }
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.words("<");
            return rest;
        }
        let end = rest.find(|char: char| char.is_whitespace() || char == '>' || char == '/').unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let (attributes, rest) = attributes(rest);
        self.begin(name, &attributes);
        match SILENT.iter().find(|silent| name.eq_ignore_ascii_case(silent)) {
            Some(silent) => self.skip(silent, rest),
            None => rest,
        }
    }

    fn begin(&mut self, name: &'a str, attributes: &[(&str, String)]) {
        let mut hides = false;
        for (attribute, value) in attributes {
            let attribute = attribute.to_ascii_lowercase();
            let fetches = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one));
            match attribute.as_str() {
                "hidden" => hides = true,
                "style" => {
                    hides |= is_hiding(value);
                    self.styles(value);
                }
                "href" if !fetches(&FETCHING) => self.links(value),
                "href" => self.fetches(value),
                other if FETCHED.contains(&other) => {
                    value.split([',', ' ']).for_each(|address| self.fetches(address));
                }
                "action" | "formaction" | "cite" | "ping" => self.links(value),
                _ => {}
            }
        }
        if BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block)) {
            self.found.text.push('\n');
        }
        let is_void = VOID.iter().any(|void| name.eq_ignore_ascii_case(void));
        if is_void {
            return;
        }
        self.hiding += usize::from(hides);
        // Where this one ends is not seen when there are too many, and from then on everything counts as hidden.
        if self.open.len() < DEEPEST {
            self.open.push(Open { name, hides });
        }
    }

    /// Ends the nearest element of that name, and whatever was left open in it.
    fn close(&mut self, name: &str) {
        if BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block)) {
            self.found.text.push('\n');
        }
        let Some(at) = self.open.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) else { return };
        self.hiding -= self.open[at..].iter().filter(|open| open.hides).count();
        self.open.truncate(at);
    }

    /// Passes over the inside of an element that holds no text for readers.
    fn skip(&mut self, name: &str, rest: &'a str) -> &'a str {
        let is_end = |at: &usize| rest[*at + 2..].get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name));
        let end = rest.match_indices("</").map(|(at, _)| at).find(is_end).unwrap_or(rest.len());
        let inside = &rest[..end];
        if name == "style" {
            self.styles(inside);
        } else {
            self.hide(inside);
        }
        &rest[end..]
    }

    fn words(&mut self, text: &str) {
        if self.hiding > 0 {
            self.hide(text);
        } else {
            self.found.text.push_str(&decoded(text));
        }
    }

    fn hide(&mut self, text: &str) {
        let text = decoded(text);
        let text = text.trim_matches(|char: char| {
            char.is_whitespace() || "\u{200b}\u{200c}\u{200d}\u{feff}\u{34f}\u{ad}".contains(char)
        });
        if !text.is_empty() {
            self.found.hidden.push(text.to_owned());
        }
    }

    fn fetches(&mut self, address: &str) {
        self.found.fetched = std::mem::take(&mut self.found.fetched).and(&flat(address));
    }

    fn links(&mut self, address: &str) {
        self.found.links = std::mem::take(&mut self.found.links).and(&flat(address));
    }

    fn styles(&mut self, style: &str) {
        for piece in style.split("url(").skip(1).chain(style.split("@import").skip(1)) {
            let address = piece.split([')', ';']).next().unwrap_or_default();
            self.fetches(address.trim().trim_matches(['"', '\'']));
        }
    }
}

/// The attributes of a tag with their values decoded, and what comes behind its `>`.
fn attributes(mut rest: &str) -> (Vec<(&str, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        if rest.is_empty() {
            return (found, rest);
        }
        let end = rest.find(|char: char| char.is_whitespace() || "=>/".contains(char)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end.max(usize::from(rest.starts_with('='))));
        let (value, after) = match after.trim_start().strip_prefix('=') {
            Some(after) => value(after.trim_start()),
            None => ("", after),
        };
        found.push((name, decoded(value)));
        rest = after;
    }
}

fn value(rest: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inside) = rest.strip_prefix(quote) {
            return inside.split_once(quote).unwrap_or((inside, ""));
        }
    }
    rest.split_at(rest.find(|char: char| char.is_whitespace() || char == '>').unwrap_or(rest.len()))
}

/// Without what browsers leave out of addresses.
fn flat(address: &str) -> String {
    address.chars().filter(|char| !matches!(char, '\t' | '\n' | '\r')).collect::<String>().trim().to_owned()
}

/// Whether a style hides what it is for.
fn is_hiding(style: &str) -> bool {
    let style: String = style.to_ascii_lowercase().split_whitespace().collect();
    let rules = [
        "display:none",
        "visibility:hidden",
        "visibility:collapse",
        "mso-hide:all",
        "opacity:0",
        "max-height:0",
        "max-width:0",
        "font-size:0",
        "font-size:1px",
        "font-size:2px",
        "height:0;",
        "width:0;",
        "text-indent:-",
        "left:-",
        "top:-",
        "clip:rect(0",
        "color:transparent",
        "color:#fff",
        "color:white",
        "scale(0",
    ];
    rules.iter().any(|rule| {
        style.match_indices(rule).any(|(at, _)| {
            let before = style[..at].chars().next_back();
            let after = style[at + rule.len()..].chars().next();
            // `background-color:#fff` hides nothing, and neither does `opacity:0.9`.
            before != Some('-') && !(rule.ends_with('0') && matches!(after, Some('.' | '0'..='9')))
        })
    })
}

/// With the entities of HTML that matter for words and addresses written out.
fn decoded(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = entity(rest);
        whole.push(found.map_or('&', |(char, _)| char));
        rest = &rest[found.map_or(1, |(_, length)| length)..];
    }
    whole.push_str(rest);
    whole
}

/// The character that an entity at the front stands for, and how long the entity is.
fn entity(text: &str) -> Option<(char, usize)> {
    let name = &text[1..];
    let end = name.find(|char: char| !(char.is_ascii_alphanumeric() || char == '#')).unwrap_or(name.len()).min(32);
    let word = name.get(..end)?;
    let length = 1 + end + usize::from(name[end..].starts_with(';'));
    let char = match word.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => match word {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "colon" => ':',
            "sol" => '/',
            "period" => '.',
            "Tab" => '\t',
            "NewLine" => '\n',
            _ => return None,
        },
    };
    Some((char, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, text: &str, hidden: &[&str]) {
        let found = Markup::read(html);
        assert_eq!(
            (&*found.text, found.hidden.iter().map(String::as_str).collect::<Vec<_>>()),
            (text, hidden.to_vec()),
            "{html}"
        );
    }

    #[test]
    fn what_is_seen_is_told_from_what_is_not() {
        check("<p>Hello <b>Ana</b></p><p hidden>x <i>y</i></p>z", "Hello Ana\nz", &["x", "y"]);
        check("<div style=\"DISPLAY: none\">pre<div>in</div></div><p>seen</p>", "seen", &["pre", "in"]);
        check("<!-- note --><span style='font-size:0.9em;background-color:#fff'>seen</span>", "seen", &["note"]);
        check(
            "<span style='color:#ffffff'>white</span><script>s()</script><title>t</title>",
            "",
            &["white", "s()", "t"],
        );
        check("a < b &amp; c<br>d", "a < b & c\nd", &[]);
        check("<p style=\"display:none\">never closed <b>at all", "", &["never closed", "at all"]);
    }

    #[track_caller]
    fn leads(html: &str, fetched: &[&str], links: &[&str]) {
        let found = Markup::read(html);
        let fetches: Vec<_> = found.fetched.addresses().collect();
        assert_eq!(
            (fetches, found.links.addresses().collect::<Vec<_>>()),
            (fetched.to_vec(), links.to_vec()),
            "{html}"
        );
    }

    #[test]
    fn pictures_are_told_from_links() {
        leads(
            "<img src=https://a.example/x.gif><a href='https://b.example'>b</a>",
            &["https://a.example/x.gif"],
            &["https://b.example"],
        );
        leads(
            "<td background=\"//c.example/y\" style=\"x:url('https://d.example/z')\">",
            &["//c.example/y", "https://d.example/z"],
            &[],
        );
        leads("<img src=\"https&colon;&#x2f;/e.example/&#10;x\"><img src=cid:1>", &["https://e.example/x"], &[]);
        leads(
            "<style>@import \"https://f.example/s.css\";</style><img srcset='https://g.example/1 1x, https://g.example/2 2x'>",
            &["https://f.example/s.css", "https://g.example/1", "https://g.example/2"],
            &[],
        );
    }

    #[test]
    fn deep_and_broken_pages_are_walked_once() {
        assert_eq!(Markup::read(&"<div>".repeat(1_000)).text, "");
        assert_eq!(Markup::read("<p a=\"never ended").text, "");
        assert_eq!(Markup::read("<p = == a=b>x").text, "x");
        assert_eq!(Markup::read("<").text, "<");
        assert_eq!(Markup::read("&#xffffffff; &; &amp").text, "&#xffffffff; &; &");
    }
}
