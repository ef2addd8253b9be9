//! SOQL as a row of tokens.

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name or keyword, dots included: `Account.Name`.
    Word(String),
    /// Text in quotes; `\%` and `\_` stay as they are for `LIKE`.
    Text(String),
    /// A number, a date or a moment, as it is written.
    Bare(String),
    /// A comma, a parenthesis or a comparison.
    Mark(&'static str),
}

const MARKS: [&str; 10] = ["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","];

/// Splits a statement; an error is what cannot be read.
pub fn tokens(soql: &str) -> Result<Vec<Token>, String> {
    let mut rest = soql.trim_start();
    let mut tokens = vec![];
    while let Some(first) = rest.chars().next() {
        let (token, after) = if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            (Token::Mark(mark), &rest[mark.len()..])
        } else if first == '\'' {
            text(&rest[1..])?
        } else if first.is_ascii_alphabetic() {
            let (word, after) = split(rest, |char| char.is_ascii_alphanumeric() || "_.:".contains(char));
            (Token::Word(word.to_owned()), after)
        } else if first.is_ascii_digit() || first == '-' || first == '+' {
            let (bare, after) = split(rest, |char| char.is_ascii_alphanumeric() || ".:+-".contains(char));
            (Token::Bare(bare.to_owned()), after)
        } else {
            return Err(format!("unexpected token: '{first}'"));
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|char| !belongs(char)).unwrap_or(text.len()))
}

/// The text up to the closing quote, which has been opened, and what comes after.
fn text(inside: &str) -> Result<(Token, &str), String> {
    let mut text = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\'' => return Ok((Token::Text(text), &inside[at + 1..])),
            '\\' => match chars.next().map(|(_, char)| char) {
                Some('n' | 'N') => text.push('\n'),
                Some('t' | 'T') => text.push('\t'),
                Some('r' | 'R') => text.push('\r'),
                Some(plain @ ('\'' | '"' | '\\')) => text.push(plain),
                Some(wild @ ('%' | '_')) => text.extend(['\\', wild]),
                _ => return Err("Illegal string literal: invalid string escape".into()),
            },
            plain => text.push(plain),
        }
    }
    Err("line 1: unterminated string literal".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_falls_into_its_pieces() {
        let word = |text: &str| Token::Word(text.into());
        assert_eq!(
            tokens(r"SELECT Account.Name FROM A WHERE B>=-1.5 AND C = 'it\'s \%'").unwrap(),
            [
                word("SELECT"),
                word("Account.Name"),
                word("FROM"),
                word("A"),
                word("WHERE"),
                word("B"),
                Token::Mark(">="),
                Token::Bare("-1.5".into()),
                word("AND"),
                word("C"),
                Token::Mark("="),
                Token::Text(r"it's \%".into()),
            ]
        );
        for bad in ["'open", r"'\x'", "a ; b"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }
}
