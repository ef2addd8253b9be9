//! A first look at a page, before any library sees it: one pass over its bytes, in which everything that a parser could
//! be made to grow on is left out or counted.
//!
//! What comes out is HTML again, written by us: tags with the few attributes that anybody reads, each once and in
//! quotation marks; text; no comments, no scripts, no styles. A `<` that begins no tag is escaped, so the parser behind
//! sees the tags that were counted here and no others.

use super::TooMuch;

/// The attributes that the conversion reads.
const READ: [&str; 6] = ["alt", "class", "hidden", "href", "start", "style"];

/// How many tags a page may have, opening and closing ones. Long newsletters have some thousands.
pub(super) const MOST_TAGS: usize = 100_000;

/// A longer name is no name of an element.
const LONGEST_NAME: usize = 64;

/// Elements with text that is not for readers, which browsers do not parse either.
const DROPPED: [&str; 7] = ["script", "style", "title", "noscript", "iframe", "noembed", "noframes"];

/// Elements with text in which tags are only text.
const VERBATIM: [&str; 3] = ["textarea", "xmp", "plaintext"];

/// The page, cleaned; and the bound that it goes beyond, where it should not be parsed any further.
pub(super) fn clean(page: &str) -> (String, Option<TooMuch>) {
    let scan = Scan::of(page);
    (scan.out, (scan.tags > MOST_TAGS).then_some(TooMuch::Tags))
}

struct Scan<'a> {
    page: &'a str,
    at: usize,
    out: String,
    tags: usize,
    /// Bytes looked at.
    steps: usize,
}

/// A tag as it was read.
struct Tag<'a> {
    name: String,
    attributes: Vec<(&'static str, &'a str)>,
    closes_itself: bool,
}

impl<'a> Scan<'a> {
    /// Looks at all of a page.
    fn of(page: &'a str) -> Scan<'a> {
        let mut scan = Scan { page, at: 0, out: String::with_capacity(page.len()), tags: 0, steps: 0 };
        while scan.step() {}
        scan
    }

    /// Takes the text up to the next `<`, and what begins there; `false` at the end.
    fn step(&mut self) -> bool {
        let text = self.until("<");
        self.out.push_str(text);
        let rest = &self.page[self.at..];
        let mut following = rest.bytes().skip(1);
        match (following.next(), following.next()) {
            (None, _) => {
                self.out.push_str(if rest.is_empty() { "" } else { "&lt;" });
                return false;
            }
            (Some(letter), _) if letter.is_ascii_alphabetic() => self.opening_tag(),
            (Some(b'/'), Some(letter)) if letter.is_ascii_alphabetic() => self.closing_tag(),
            (Some(b'!'), _) if rest.starts_with("<!--") => self.comment(),
            (Some(b'!'), _) if begins_with(rest, "<!doctype") => self.doctype(),
            (Some(b'!' | b'?' | b'/'), _) => drop(self.past(">")),
            _ => {
                self.out.push_str("&lt;");
                self.at += 1;
            }
        }
        true
    }

    /// What stands before the next `end`, or all that is left; goes there.
    fn until(&mut self, end: &str) -> &'a str {
        let rest = &self.page[self.at..];
        let found = &rest[..rest.find(end).unwrap_or(rest.len())];
        self.at += found.len();
        self.steps += found.len() + 1;
        found
    }

    /// Like [`until`](Self::until), and goes behind `end`.
    fn past(&mut self, end: &str) -> &'a str {
        let found = self.until(end);
        self.at = (self.at + end.len()).min(self.page.len());
        found
    }

    /// Conditional comments of Outlook are comments, too.
    fn comment(&mut self) {
        self.at += "<!--".len();
        if self.page[self.at..].starts_with('>') || self.page[self.at..].starts_with("->") {
            self.past(">");
            return;
        }
        loop {
            self.past("--");
            // A third dash may be the first of the two that end it.
            let rest = self.page[self.at..].trim_start_matches('-');
            self.steps += self.page.len() - self.at - rest.len();
            self.at = self.page.len() - rest.len();
            if rest.is_empty() || rest.starts_with('>') || rest.starts_with("!>") {
                self.past(">");
                return;
            }
        }
    }

    /// Whether a page is of the old or of the new kind decides where a table may stand.
    fn doctype(&mut self) {
        let doctype = self.past(">");
        if doctype.len() <= 500 {
            self.out.push_str(doctype);
            self.out.push('>');
        }
    }

    fn opening_tag(&mut self) {
        self.at += 1;
        let Some(tag) = self.tag() else { return };
        if DROPPED.contains(&&*tag.name) {
            self.text_of(&tag.name);
        } else if VERBATIM.contains(&&*tag.name) {
            let text = self.text_of(&tag.name);
            self.out.push_str("<pre>");
            let escaped = if tag.name == "textarea" { text.to_owned() } else { text.replace('&', "&amp;") };
            self.out.push_str(&escaped.replace('<', "&lt;"));
            self.out.push_str("</pre>");
        } else {
            self.write(&tag);
        }
    }

    fn closing_tag(&mut self) {
        self.at += 2;
        if let Some(tag) = self.tag() {
            self.out.extend(["</", &tag.name, ">"]);
        }
    }

    fn write(&mut self, tag: &Tag) {
        self.out.push('<');
        self.out.push_str(&tag.name);
        for (name, value) in &tag.attributes {
            let value = value.replace('"', "&quot;");
            self.out.extend([" ", name, "=\"", &value, "\""]);
        }
        self.out.push_str(if tag.closes_itself { "/>" } else { ">" });
    }

    /// The text up to the end tag of the element; goes behind the name in it.
    fn text_of(&mut self, name: &str) -> &'a str {
        let begin = self.at;
        loop {
            self.until("</");
            let end = self.at;
            self.at = (end + 2).min(self.page.len());
            if end == self.page.len() {
                return &self.page[begin..];
            }
            if is_named(&self.page[self.at..], name) {
                self.past(">");
                return &self.page[begin..end];
            }
        }
    }

    /// The tag whose name begins here; `None` where the page ends within it, as it does for a browser.
    fn tag(&mut self) -> Option<Tag<'a>> {
        self.tags += 1;
        let name = self.run(|byte| !is_blank(byte) && byte != b'/' && byte != b'>').to_ascii_lowercase();
        let name = if name.len() > LONGEST_NAME { "span".to_owned() } else { name };
        let mut tag = Tag { name, attributes: Vec::new(), closes_itself: false };
        loop {
            let between = self.run(|byte| is_blank(byte) || byte == b'/');
            match self.peek() {
                None => return None,
                Some(b'>') => {
                    tag.closes_itself = between.ends_with('/');
                    self.at += 1;
                    return Some(tag);
                }
                Some(_) => self.attribute(&mut tag),
            }
        }
    }

    /// One attribute; kept when it is read later and stands in the tag for the first time.
    fn attribute(&mut self, tag: &mut Tag<'a>) {
        let begin = self.at;
        // A name may begin with `=`.
        self.at += self.page[begin..].chars().next().map_or(0, char::len_utf8);
        self.run(|byte| !is_blank(byte) && !matches!(byte, b'/' | b'>' | b'='));
        let name = &self.page[begin..self.at];
        self.run(is_blank);
        let value = if self.peek() == Some(b'=') { self.value() } else { "" };
        let read = READ.iter().find(|known| known.eq_ignore_ascii_case(name));
        if let Some(&known) = read
            && tag.attributes.iter().all(|(other, _)| *other != known)
        {
            tag.attributes.push((known, value));
        }
    }

    /// The value behind a `=`.
    fn value(&mut self) -> &'a str {
        self.at += 1;
        self.run(is_blank);
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                self.past(if quote == b'"' { "\"" } else { "'" })
            }
            _ => self.run(|byte| !is_blank(byte) && byte != b'>'),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.page.as_bytes().get(self.at).copied()
    }

    /// The bytes from here that are all of a kind; goes behind them. The kinds leave characters whole.
    fn run(&mut self, is_one: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.page[self.at..];
        let end = rest.bytes().position(|byte| !is_one(byte)).unwrap_or(rest.len());
        self.at += end;
        self.steps += end + 1;
        &rest[..end]
    }
}

/// What HTML takes for a blank.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Whether a tag that begins here bears this name, not a longer one.
fn is_named(tag: &str, name: &str) -> bool {
    let after = tag.as_bytes().get(name.len());
    begins_with(tag, name) && after.is_none_or(|&byte| is_blank(byte) || matches!(byte, b'/' | b'>'))
}

fn begins_with(text: &str, begin: &str) -> bool {
    text.as_bytes().get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::linear;

    #[track_caller]
    fn check(page: &str, cleaned: &str) {
        assert_eq!(clean(page), (cleaned.to_owned(), None), "{page}");
    }

    #[test]
    fn what_is_read_later_stays() {
        check("<P Class=a ID='x'>Hi &amp; you</p>", "<p class=\"a\">Hi &amp; you</p>");
        check("<a href='say \"x\"' href=b>c</a>", "<a href=\"say &quot;x&quot;\">c</a>");
        check("<img src=x alt = A/><br/><p hidden>", "<img alt=\"A/\"><br/><p hidden=\"\">");
        check("<!DOCTYPE html><b>x", "<!DOCTYPE html><b>x");
        check("<td =odd style=\"a>b\">", "<td style=\"a>b\">");
        check("<a href=>x</a><a href>y</a>", "<a href=\"\">x</a><a href=\"\">y</a>");
    }

    #[test]
    fn what_nobody_reads_goes() {
        check("a<!-- <b> -->b<!--[if mso]><p>c<![endif]-->d<!--->e<!-- f --!>g<!---- h --->i", "abdegi");
        check("a<style>p{} </p></styles></STYLE >b<script>'<b>'</script>c", "abc");
        check("<![if !mso]>a<![endif]><?xml x?>b</ c>d</>", "abd");
        check("a<title>b", "a");
        check("a<!-- b", "a");
        check("a<b c='d>", "a");
    }

    #[test]
    fn text_stays_text() {
        check("1 < 2 <3 <", "1 &lt; 2 &lt;3 &lt;");
        check("<textarea><b>&amp;</textarea><xmp><i>&amp;</xmp>", "<pre>&lt;b>&amp;</pre><pre>&lt;i>&amp;amp;</pre>");
        check("ä<ü>", "ä&lt;ü>");
        check("<bü ß=1>x", "<bü>x");
    }

    #[test]
    fn a_page_has_a_number_of_tags() {
        assert_eq!(clean(&"<b>".repeat(MOST_TAGS)).1, None);
        assert_eq!(clean(&"<b>".repeat(MOST_TAGS + 1)).1, Some(TooMuch::Tags));
        check(&format!("<{}>x", "a".repeat(LONGEST_NAME + 1)), "<span>x");
    }

    #[test]
    fn each_byte_is_looked_at_once() {
        let pieces = [
            "<",
            "</",
            "<!-",
            "<!--",
            "-",
            "--",
            "<!--x",
            "<a ",
            "<a b=",
            "<a b=\"",
            "'",
            "=",
            "/",
            ">",
            "</x",
            "<style>",
            "</st",
            "<xmp></",
            "<!",
            "&",
            "<a b c/ d",
        ];
        for piece in pieces {
            linear::check(&format!("{piece:?}"), |size| Scan::of(&piece.repeat(size)).steps);
        }
    }
}
