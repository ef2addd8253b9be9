//! Slack's own markup: what people and models write becomes it, and what it says becomes readable.
//!
//! The rules are those of <https://docs.slack.dev/messaging/formatting-message-text>.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write};

/// What stands between `<` and `>`, and what comes after it.
type Taken<'a> = (&'a str, &'a str);

/// The signs that end a title in `[title](address)`, and of which only `]` may.
const AFTER_TITLE: &[char] = &['[', ']', '\n', '|', '>'];

/// The signs that end its address, of which only `)` may.
const AFTER_ADDRESS: &[char] = &[')', ' ', '|', '>', '<', '\n'];

/// Markdown, or Slack's own markup, as Slack takes it. Code stays as it is, mentions of people and channels stay
/// mentions, and nothing rings the bell for a whole channel.
pub(super) fn to_slack(text: &str) -> String {
    let mut whole = String::new();
    for (at, block) in text.split("```").enumerate() {
        if at > 0 {
            whole.push_str("```");
        }
        if at % 2 == 1 {
            whole.push_str(&escaped(block));
        } else {
            let lines: Vec<_> = block.split('\n').map(line).collect();
            whole.push_str(&lines.join("\n"));
        }
    }
    whole
}

fn line(line: &str) -> String {
    let body = line.trim_start();
    let indent = &line[..line.len() - body.len()];
    let heading = body.trim_start_matches('#');
    let level = body.len() - heading.len();
    if (1..=6).contains(&level) && heading.starts_with(' ') {
        return format!("{indent}*{}*", spans(heading.trim()).replace('*', ""));
    }
    match body.strip_prefix("- ").or_else(|| body.strip_prefix("* ")) {
        Some(item) => format!("{indent}• {}", spans(item)),
        None => format!("{indent}{}", spans(body)),
    }
}

/// A line, with the code in it left alone.
fn spans(line: &str) -> String {
    let pieces: Vec<_> = line.split('`').collect();
    // An odd one at the end is a mere sign.
    let is_code = |at: usize| at % 2 == 1 && at + 1 < pieces.len();
    let piece = |(at, piece): (usize, &&str)| if is_code(at) { escaped(piece) } else { words(piece) };
    pieces.iter().enumerate().map(piece).collect::<Vec<_>>().join("`")
}

fn words(text: &str) -> String {
    let mut rest = text;
    let mut whole = String::with_capacity(text.len());
    let mut ends = Ends::of(text);
    while let Some(sign) = rest.chars().next() {
        let (said, left) = match sign {
            '<' => reference(rest),
            '[' => link(rest, &mut ends),
            '&' => entity(rest),
            '*' => doubled(rest, "**", "*"),
            '~' => doubled(rest, "~~", "~"),
            _ => None,
        }
        .unwrap_or_else(|| {
            let (one, left) = rest.split_at(sign.len_utf8());
            (Cow::Owned(escaped(one)), left)
        });
        whole.push_str(&said);
        rest = left;
    }
    whole
}

/// Where the next sign stands that ends an address. It is looked for once, however many links begin before it.
struct Ends<'a> {
    whole: &'a str,
    known: Option<usize>,
}

impl<'a> Ends<'a> {
    fn of(whole: &'a str) -> Self {
        Ends { whole, known: None }
    }

    /// The address at the beginning of `rest`, which is an end of the whole text.
    fn address(&mut self, rest: &'a str) -> &'a str {
        let begin = self.whole.len() - rest.len();
        let end = self.known.filter(|end| *end >= begin).unwrap_or_else(|| {
            rest.find(AFTER_ADDRESS).map_or(self.whole.len(), |at| begin + at)
        });
        self.known = Some(end);
        &rest[..end - begin]
    }
}

/// `<@U123>`, `<#C123>` and links stay. Whatever else stands in such brackets is a text.
fn reference(rest: &str) -> Option<(Cow<'_, str>, &str)> {
    let (inside, left) = bracketed(rest)?;
    let is_kept = ["@U", "@W", "#C", "http://", "https://", "mailto:"].iter().any(|begin| inside.starts_with(begin));
    is_kept.then(|| (Cow::Borrowed(&rest[..=inside.len() + 1]), left))
}

/// What stands between `<` and the next `>`. Whatever else comes first says that it is none, so nothing is read twice.
fn bracketed(rest: &str) -> Option<Taken<'_>> {
    let inside = rest.strip_prefix('<')?;
    let end = inside.find(['>', '<', '\n'])?;
    inside[end..].starts_with('>').then(|| (&inside[..end], &inside[end + 1..]))
}

/// `[title](address)`.
fn link<'a>(rest: &'a str, ends: &mut Ends<'a>) -> Option<(Cow<'a, str>, &'a str)> {
    let inside = rest.strip_prefix('[')?;
    let (title, more) = inside.split_at(inside.find(AFTER_TITLE)?);
    let more = more.strip_prefix("](")?;
    let is_address = ["http://", "https://", "mailto:"].iter().any(|begin| more.starts_with(begin));
    if !is_address {
        return None;
    }
    let address = ends.address(more);
    let left = more[address.len()..].strip_prefix(')')?;
    Some((Cow::Owned(format!("<{}|{}>", address, escaped(title))), left))
}

/// A character that is escaped already.
fn entity(rest: &str) -> Option<(Cow<'_, str>, &str)> {
    let found = ["&amp;", "&lt;", "&gt;"].into_iter().find(|entity| rest.starts_with(entity))?;
    Some((Cow::Borrowed(found), &rest[found.len()..]))
}

/// Markdown doubles the signs of which Slack wants one.
fn doubled<'a>(rest: &'a str, twice: &str, once: &str) -> Option<(Cow<'a, str>, &'a str)> {
    let (inside, left) = rest.strip_prefix(twice)?.split_once(twice)?;
    let fits = !inside.is_empty() && inside.trim() == inside;
    fits.then(|| (Cow::Owned(format!("{once}{}{once}", words(inside))), left))
}

fn escaped(text: &str) -> String {
    let mut rest = text;
    let mut whole = String::new();
    while let Some(sign) = rest.chars().next() {
        if let Some((kept, left)) = entity(rest) {
            whole.push_str(&kept);
            rest = left;
            continue;
        }
        match sign {
            '&' => whole.push_str("&amp;"),
            '<' => whole.push_str("&lt;"),
            '>' => whole.push_str("&gt;"),
            _ => whole.push(sign),
        }
        rest = &rest[sign.len_utf8()..];
    }
    whole
}

/// The ids of the people whom a text mentions without their names.
pub(super) fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split('<').skip(1).filter_map(|piece| piece.split_once('>')).map(|(inside, _)| inside);
    inside.filter_map(|inside| inside.strip_prefix('@')).filter(|id| !id.contains('|'))
}

/// A text of Slack as people read it: names for mentions, Markdown for links, the characters themselves.
pub(super) fn readable(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut rest = text;
    let mut whole = String::new();
    while let Some(at) = rest.find('<') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((inside, left)) = bracketed(rest) {
            whole.push_str(&said(inside, names));
            rest = left;
        } else {
            whole.push('<');
            rest = &rest[1..];
        }
    }
    whole.push_str(rest);
    whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn said(inside: &str, names: &BTreeMap<String, String>) -> String {
    let (what, label) = inside.split_once('|').map_or((inside, None), |(what, label)| (what, Some(label)));
    if let Some(id) = what.strip_prefix('@') {
        let name = label.map(|label| label.trim_start_matches('@')).or_else(|| names.get(id).map(String::as_str));
        return format!("@{}", name.unwrap_or(id));
    }
    if let Some(id) = what.strip_prefix('#') {
        return format!("#{}", label.filter(|label| !label.is_empty()).unwrap_or(id));
    }
    if let Some(special) = what.strip_prefix('!') {
        let word = special.split('^').next().unwrap_or_default();
        return label.map_or_else(|| format!("@{word}"), str::to_owned);
    }
    let mut text = String::new();
    match label {
        Some(label) if label != what && !what.ends_with(label) => drop(write!(text, "[{label}]({what})")),
        _ => text.push_str(what.strip_prefix("mailto:").unwrap_or(what)),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(markdown: &str, slack: &str) {
        assert_eq!(to_slack(markdown), slack, "{markdown}");
    }

    #[test]
    fn markdown_becomes_slacks_markup() {
        check("**bold** and *bold too* and ~~gone~~", "*bold* and *bold too* and ~gone~");
        check("see [the page](https://example.com/a?b=1)", "see <https://example.com/a?b=1|the page>");
        check("# Title\ntext\n## Next **one**", "*Title*\ntext\n*Next one*");
        check("- one\n* two\n  - three", "• one\n• two\n  • three");
        check("2 < 3 & 4 > 1", "2 &lt; 3 &amp; 4 &gt; 1");
        check("2 ** 3 and a**", "2 ** 3 and a**");
        check("#sales is no title", "#sales is no title");
    }

    #[test]
    fn what_only_begins_a_link_stays_as_it_is() {
        check("[[a](https://b.example)", "[<https://b.example|a>");
        check("[a](https://b [c](https://d.example)", "[a](https://b <https://d.example|c>");
        check("[a](https://b[c](https://d.example)", "<https://b[c](https://d.example|a>");
        check("[a](https://b", "[a](https://b");
        check("<https://a <https://b>", "&lt;https://a <https://b>");
    }

    #[test]
    fn code_stays_as_it_is() {
        check("`**x** <y>` and `z", "`**x** &lt;y&gt;` and `z");
        check("```\n# **x** [a](https://b)\n```", "```\n# **x** [a](https://b)\n```");
    }

    #[test]
    fn mentions_stay_and_nobody_rings_for_everybody() {
        check("<@U0123ABCD> in <#C0123ABCD|sales>", "<@U0123ABCD> in <#C0123ABCD|sales>");
        check("<https://example.com|x> &amp; &lt;", "<https://example.com|x> &amp; &lt;");
        check("<!channel> <!subteam^S1>", "&lt;!channel&gt; &lt;!subteam^S1&gt;");
        check("[x](javascript:alert)", "[x](javascript:alert)");
        check("a <b\nc> d", "a &lt;b\nc&gt; d");
    }

    #[test]
    fn slacks_markup_becomes_readable() {
        let names = BTreeMap::from([("U1".to_owned(), "Ana Ruiz".to_owned())]);
        let check = |slack: &str, text: &str| assert_eq!(readable(slack, &names), text);
        check("<@U1>, <@U2> and <@U3|ben>", "@Ana Ruiz, @U2 and @ben");
        check("<#C1|sales> <#C2>", "#sales #C2");
        check("<!here> <!subteam^S1|@team> <!date^1^{date}|Monday>", "@here @team Monday");
        check("<https://a.example|the page> <https://b.example>", "[the page](https://a.example) https://b.example");
        check("<mailto:a@b.example|a@b.example> <http://c.example|c.example>", "a@b.example http://c.example");
        check("a &lt;b&gt; &amp;amp; <c", "a <b> &amp; <c");
        assert_eq!(mentioned("<@U1> x <@U2|ben> <@U3>").collect::<Vec<_>>(), ["U1", "U3"]);
    }
}
