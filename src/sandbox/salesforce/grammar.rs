//! SOQL as far as the twin reads it: fields, parents and children, aggregates, conditions, order, bounds.

use super::lexer::{Token, tokens};

/// The longest statement, as Salesforce says it.
const LONGEST: usize = 100_000;

/// How deep conditions and queries may stand within each other. Reading one takes a piece of the stack for each level.
const DEEPEST: usize = 50;

/// The longest pattern: each of its parts is tried at every place of a text.
const LONGEST_PATTERN: usize = 1_000;

/// Over how many relationships a field may be reached, as Salesforce says it.
const FARTHEST: usize = 5;

/// A query.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What is asked for.
    pub select: Vec<Item>,
    /// The object, or inside another query the relationship.
    pub from: String,
    /// Whether only the asker's own records count.
    pub is_mine: bool,
    /// Which records.
    pub condition: Option<Condition>,
    /// By which field they are grouped.
    pub group: Option<String>,
    /// In which order: field, and whether it goes down.
    pub order: Vec<(String, bool)>,
    /// How many at most.
    pub limit: Option<usize>,
    /// How many are passed over.
    pub offset: usize,
}

/// Something that is asked for.
#[derive(Clone, Debug)]
pub enum Item {
    /// A field, of the record or of a parent: `Account.Name`.
    Field(String),
    /// `COUNT()`: how many records there are.
    Count,
    /// `SUM(Amount) total`: function, field and name.
    Aggregate(String, String, Option<String>),
    /// The children behind a relationship.
    Children(Query),
}

/// Which records.
#[derive(Clone, Debug)]
pub enum Condition {
    /// All of these hold.
    And(Vec<Condition>),
    /// One of these holds.
    Or(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// A field compared.
    Compare(String, &'static str, Operand),
    /// A field among values; `false` is `NOT IN`.
    Among(String, Vec<Operand>, bool),
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// Text in quotes.
    Text(String),
    /// A number, date or moment.
    Bare(String),
    /// `true`, `null`, `TODAY`, `LAST_N_DAYS:7`.
    Word(String),
}

/// What is made of a statement, for the tests that hold it to its bounds.
pub fn read(text: &str) -> String {
    format!("{:?}", parse(text))
}

/// Reads a statement; an error is in Salesforce's words.
pub fn parse(soql: &str) -> Result<Query, String> {
    let mut reader = Reader::of(soql)?;
    let query = reader.query()?;
    match reader.tokens.get(reader.at) {
        Some(token) => Err(format!("unexpected token: {token:?}")),
        None => Ok(query),
    }
}

/// Reads a condition that stands alone.
pub fn parse_condition(text: &str) -> Result<Condition, String> {
    Reader::of(text)?.condition()
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    /// In how many parentheses and negations it is.
    depth: usize,
}

impl Reader {
    fn of(text: &str) -> Result<Reader, String> {
        if text.len() > LONGEST {
            return Err(format!("the statement is longer than {LONGEST} characters"));
        }
        Ok(Reader { tokens: tokens(text)?, at: 0, depth: 0 })
    }

    /// Reads what stands one level deeper, if that is not too deep.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Reader) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEEPEST {
            return Err(format!("the statement is nested more than {DEEPEST} levels deep"));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn query(&mut self) -> Result<Query, String> {
        self.must_word("SELECT")?;
        let mut query = Query { select: vec![self.item()?], ..Query::default() };
        while self.mark(",") {
            query.select.push(self.item()?);
        }
        self.must_word("FROM")?;
        query.from = self.name()?;
        if self.word("USING") {
            self.must_word("SCOPE")?;
            query.is_mine = self.name()?.eq_ignore_ascii_case("mine");
        }
        if self.word("WHERE") {
            query.condition = Some(self.condition()?);
        }
        if self.word("GROUP") {
            self.must_word("BY")?;
            query.group = Some(self.name()?);
        }
        if self.word("ORDER") {
            self.must_word("BY")?;
            query.order = self.order()?;
        }
        if self.word("LIMIT") {
            query.limit = Some(self.number()?);
        }
        if self.word("OFFSET") {
            query.offset = self.number()?;
        }
        Ok(query)
    }

    fn item(&mut self) -> Result<Item, String> {
        if self.mark("(") {
            let children = self.deeper(Reader::query)?;
            self.must_mark(")")?;
            return Ok(Item::Children(children));
        }
        let name = self.name()?;
        if !self.mark("(") {
            return Ok(Item::Field(name));
        }
        if self.mark(")") {
            return if name.eq_ignore_ascii_case("count") {
                Ok(Item::Count)
            } else {
                Err("unexpected token: ')'".into())
            };
        }
        let field = self.name()?;
        self.must_mark(")")?;
        let has_alias = matches!(self.peek(), Some(Token::Word(word)) if !word.eq_ignore_ascii_case("from"));
        let alias = if has_alias { Some(self.name()?) } else { None };
        Ok(Item::Aggregate(name.to_uppercase(), field, alias))
    }

    fn condition(&mut self) -> Result<Condition, String> {
        let first = self.single()?;
        for (word, make) in [("AND", Condition::And as fn(Vec<Condition>) -> Condition), ("OR", Condition::Or)] {
            if !self.is_word(word) {
                continue;
            }
            let mut parts = vec![first];
            while self.word(word) {
                parts.push(self.single()?);
            }
            // Salesforce wants parentheses where the two are mixed.
            let mixed = ["AND", "OR"].into_iter().any(|other| other != word && self.is_word(other));
            return if mixed { Err(format!("unexpected token: {:?}", self.peek())) } else { Ok(make(parts)) };
        }
        Ok(first)
    }

    fn single(&mut self) -> Result<Condition, String> {
        if self.mark("(") {
            let inside = self.deeper(Reader::condition)?;
            self.must_mark(")")?;
            return Ok(inside);
        }
        if self.word("NOT") {
            return Ok(Condition::Not(Box::new(self.deeper(Reader::single)?)));
        }
        let field = self.name()?;
        let is_not_in = self.word("NOT");
        if is_not_in || self.is_word("IN") {
            self.must_word("IN")?;
            self.must_mark("(")?;
            let mut values = vec![self.operand()?];
            while self.mark(",") {
                values.push(self.operand()?);
            }
            self.must_mark(")")?;
            return Ok(Condition::Among(field, values, !is_not_in));
        }
        if self.word("LIKE") {
            let pattern = self.operand()?;
            if matches!(&pattern, Operand::Text(text) if text.len() > LONGEST_PATTERN) {
                return Err(format!("a pattern is longer than {LONGEST_PATTERN} characters"));
            }
            return Ok(Condition::Compare(field, "LIKE", pattern));
        }
        match self.tokens.get(self.at) {
            Some(Token::Mark(mark)) if !matches!(*mark, "(" | ")" | ",") => {
                let mark = *mark;
                self.at += 1;
                Ok(Condition::Compare(field, if mark == "<>" { "!=" } else { mark }, self.operand()?))
            }
            other => Err(format!("unexpected token: {other:?}")),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let operand = match self.peek() {
            Some(Token::Text(text)) => Operand::Text(text.clone()),
            Some(Token::Bare(bare)) => Operand::Bare(bare.clone()),
            Some(Token::Word(word)) => Operand::Word(word.clone()),
            other => return Err(format!("unexpected token: {other:?}")),
        };
        self.at += 1;
        Ok(operand)
    }

    fn order(&mut self) -> Result<Vec<(String, bool)>, String> {
        let mut order = vec![];
        loop {
            let field = self.name()?;
            let is_down = self.word("DESC");
            if !is_down {
                self.word("ASC");
            }
            if self.word("NULLS") && !self.word("FIRST") {
                self.must_word("LAST")?;
            }
            order.push((field, is_down));
            if !self.mark(",") {
                return Ok(order);
            }
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted))
    }

    fn word(&mut self, wanted: &str) -> bool {
        let is_there = self.is_word(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn mark(&mut self, wanted: &str) -> bool {
        let is_there = matches!(self.peek(), Some(Token::Mark(mark)) if *mark == wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn must_word(&mut self, wanted: &str) -> Result<(), String> {
        if self.word(wanted) { Ok(()) } else { Err(format!("expecting '{wanted}', found {:?}", self.peek())) }
    }

    fn must_mark(&mut self, wanted: &str) -> Result<(), String> {
        if self.mark(wanted) { Ok(()) } else { Err(format!("expecting '{wanted}', found {:?}", self.peek())) }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                if word.matches('.').count() > FARTHEST {
                    return Err(format!("a field path leads over more than {FARTHEST} relationships"));
                }
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            other => Err(format!("unexpected token: {other:?}")),
        }
    }

    fn number(&mut self) -> Result<usize, String> {
        match self.peek() {
            Some(Token::Bare(bare)) => {
                let number = bare.parse().map_err(|_| format!("unexpected token: '{bare}'"));
                self.at += 1;
                number
            }
            other => Err(format!("unexpected token: {other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read() {
        let query = parse(
            "SELECT Id, Account.Name, (SELECT Id FROM Tasks LIMIT 2) FROM Opportunity USING SCOPE mine \
             WHERE (A = 'x' OR B IN (1, 2)) AND NOT C LIKE '%y' ORDER BY D DESC NULLS LAST, E LIMIT 5 OFFSET 3",
        )
        .unwrap();
        assert_eq!((query.select.len(), query.from.as_str(), query.is_mine), (3, "Opportunity", true));
        assert!(matches!(&query.condition, Some(Condition::And(parts)) if parts.len() == 2));
        assert_eq!(query.order, [("D".to_owned(), true), ("E".to_owned(), false)]);
        assert_eq!((query.limit, query.offset), (Some(5), 3));
    }

    #[test]
    fn depth_has_a_bound() {
        let nested = |levels: usize| {
            let (open, close) = ("(NOT ".repeat(levels / 2), ")".repeat(levels / 2));
            parse(&format!("SELECT Id FROM Account WHERE {open}A = 1{close}"))
        };
        assert!(nested(DEEPEST).is_ok());
        let error = nested(DEEPEST + 2).unwrap_err();
        assert!(error.contains("more than 50 levels deep"), "{error}");
        let path = |steps: usize| parse(&format!("SELECT {}Name FROM Account", "Account.".repeat(steps)));
        assert!(path(FARTHEST).is_ok() && path(FARTHEST + 1).is_err());
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for bad in [
            "DELETE FROM Account",
            "SELECT FROM Account",
            "SELECT Id Account",
            "SELECT Id FROM Account WHERE",
            "SELECT Id FROM Account WHERE A = 1 OR B = 2 AND C = 3",
            "SELECT Id FROM Account LIMIT many",
            "SELECT Id FROM Account FOR UPDATE",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
