//! Airtable's formulas, as far as filters use them: fields, texts, numbers, operators and some thirty functions.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::schema::words;
use crate::text::quote;

/// A formula that was understood.
#[derive(Debug, PartialEq)]
pub enum Formula {
    /// A value.
    Literal(Value),
    /// The value of a field.
    Field(String),
    /// One of the functions.
    Call(String, Vec<Formula>),
    /// Two values and what stands between them.
    Pair(Box<Formula>, &'static str, Box<Formula>),
}

/// Operators, the loosest first.
const OPERATORS: [&[&str]; 4] = [&["!=", "<=", ">=", "=", "<", ">"], &["&"], &["+", "-"], &["*", "/"]];

/// The longest formula, in bytes.
const LONGEST: usize = 100_000;

/// How high a formula may stand: brackets in brackets, and operators in a row. Its value is worked out from the bottom
/// up, which takes a piece of the stack for each level.
const HIGHEST: usize = 200;

/// What is made of a formula, for the tests that hold it to its bounds.
pub fn read(text: &str) -> String {
    let row = |name: &str| json!(name);
    let value = parse(text).and_then(|formula| {
        let fields = formula.fields().len();
        formula.value(&row, "rec1", Timestamp::UNIX_EPOCH).map(|value| (fields, value))
    });
    format!("{value:?}")
}

/// Reads a formula, or says why it is none.
pub fn parse(text: &str) -> Result<Formula, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    let mut reader = Reader { rest: text, depth: 0 };
    let Tall { formula, .. } = reader.operation(0)?;
    reader.skip();
    if reader.rest.is_empty() { Ok(formula) } else { Err(format!("unexpected `{}`", quote(reader.rest))) }
}

/// A formula and how high it stands.
struct Tall {
    formula: Formula,
    height: usize,
}

impl Tall {
    fn flat(formula: Formula) -> Tall {
        Tall { formula, height: 1 }
    }

    fn over(formula: Formula, height: usize) -> Result<Tall, String> {
        if height < HIGHEST { Ok(Tall { formula, height: height + 1 }) } else { Err(too_high()) }
    }
}

fn too_high() -> String {
    format!("it is nested more than {HIGHEST} levels deep")
}

struct Reader<'a> {
    rest: &'a str,
    /// In how many brackets it is.
    depth: usize,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, sign: &str) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn operation(&mut self, level: usize) -> Result<Tall, String> {
        let Some(operators) = OPERATORS.get(level) else { return self.operand() };
        let mut left = self.operation(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.eat(operator)) {
            let right = self.operation(level + 1)?;
            let height = left.height.max(right.height);
            let pair = Formula::Pair(Box::new(left.formula), operator, Box::new(right.formula));
            left = Tall::over(pair, height)?;
        }
        Ok(left)
    }

    /// Everything that stands deeper goes through here, so the way down is bounded at this one place.
    fn operand(&mut self) -> Result<Tall, String> {
        if self.depth == HIGHEST / 4 {
            return Err(too_high());
        }
        self.depth += 1;
        let operand = self.bounded_operand();
        self.depth -= 1;
        operand
    }

    fn bounded_operand(&mut self) -> Result<Tall, String> {
        self.skip();
        let first = self.rest.chars().next().ok_or("it ends too early")?;
        match first {
            '(' => {
                self.eat("(");
                let inner = self.operation(0)?;
                if self.eat(")") { Ok(inner) } else { Err("a bracket is not closed".into()) }
            }
            '{' => Ok(Tall::flat(Formula::Field(self.quoted('}')?))),
            '"' | '\'' => Ok(Tall::flat(Formula::Literal(json!(self.quoted(first)?)))),
            '-' => {
                self.eat("-");
                let minus = Formula::Literal(json!(-1));
                let Tall { formula, height } = self.operand()?;
                Tall::over(Formula::Pair(Box::new(minus), "*", Box::new(formula)), height)
            }
            c if c.is_ascii_digit() => self.number().map(Tall::flat),
            c if c.is_alphabetic() => self.word(),
            c => Err(format!("unexpected `{c}`")),
        }
    }

    /// What stands up to a closing sign; a backslash takes the meaning from the sign behind it.
    fn quoted(&mut self, close: char) -> Result<String, String> {
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                c if escaped => {
                    text.push(match c {
                        'n' if close != '}' => '\n',
                        'r' if close != '}' => '\r',
                        't' if close != '}' => '\t',
                        c => c,
                    });
                    escaped = false;
                }
                '\\' => escaped = true,
                c if c == close => {
                    self.rest = &self.rest[at + c.len_utf8()..];
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(format!("`{close}` is missing"))
    }

    fn number(&mut self) -> Result<Formula, String> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        let number: f64 = number.parse().map_err(|_| format!("`{number}` is no number"))?;
        Ok(Formula::Literal(json!(number)))
    }

    /// A function, or a field whose name needs no braces.
    fn word(&mut self) -> Result<Tall, String> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if !self.eat("(") {
            return Ok(Tall::flat(Formula::Field(word.to_owned())));
        }
        let (mut arguments, mut height) = (vec![], 0);
        while !self.eat(")") {
            if !arguments.is_empty() && !self.eat(",") {
                return Err("a comma or a bracket is missing".into());
            }
            let argument = self.operation(0)?;
            height = height.max(argument.height);
            arguments.push(argument.formula);
        }
        Tall::over(Formula::Call(word.to_uppercase(), arguments), height)
    }
}

impl Formula {
    /// The names of the fields in it.
    pub fn fields(&self) -> Vec<&str> {
        let mut names = vec![];
        self.gather(&mut names);
        names
    }

    fn gather<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Formula::Literal(_) => {}
            Formula::Field(name) => names.push(name),
            Formula::Call(_, arguments) => arguments.iter().for_each(|argument| argument.gather(names)),
            Formula::Pair(left, _, right) => [left, right].into_iter().for_each(|side| side.gather(names)),
        }
    }

    /// Its value for one record.
    pub fn value(&self, row: &impl Fn(&str) -> Value, id: &str, now: Timestamp) -> Result<Value, String> {
        match self {
            Formula::Literal(value) => Ok(value.clone()),
            Formula::Field(name) => Ok(row(name)),
            Formula::Pair(left, operator, right) => {
                Ok(combine(&left.value(row, id, now)?, operator, &right.value(row, id, now)?))
            }
            Formula::Call(name, arguments) => {
                let values: Vec<_> =
                    arguments.iter().map(|argument| argument.value(row, id, now)).collect::<Result<_, _>>()?;
                call(name, &values, id, now)
            }
        }
    }
}

/// Whether a filter lets a record with this value through.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        other => !words(other).is_empty(),
    }
}

fn combine(left: &Value, operator: &str, right: &Value) -> Value {
    let order = match (as_number(left), as_number(right)) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        _ => Some(words(left).cmp(&words(right))),
    };
    match operator {
        "=" => json!(order.is_some_and(std::cmp::Ordering::is_eq)),
        "!=" => json!(!order.is_some_and(std::cmp::Ordering::is_eq)),
        "<" => json!(order.is_some_and(std::cmp::Ordering::is_lt)),
        ">" => json!(order.is_some_and(std::cmp::Ordering::is_gt)),
        "<=" => json!(order.is_some_and(std::cmp::Ordering::is_le)),
        ">=" => json!(order.is_some_and(std::cmp::Ordering::is_ge)),
        "&" => json!(format!("{}{}", words(left), words(right))),
        _ => arithmetic(as_number(left).unwrap_or_default(), operator, as_number(right).unwrap_or_default()),
    }
}

fn arithmetic(left: f64, operator: &str, right: f64) -> Value {
    json!(match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        _ => left / right,
    })
}

/// Marks count as one and empty values as nothing, where the other side is a number.
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

fn call(name: &str, values: &[Value], id: &str, now: Timestamp) -> Result<Value, String> {
    let text = |at: usize| values.get(at).map(words).unwrap_or_default();
    let moment = |at: usize| values.get(at).and_then(moment);
    Ok(match name {
        "AND" => json!(values.iter().all(is_true)),
        "OR" => json!(values.iter().any(is_true)),
        "NOT" => json!(!values.first().is_some_and(is_true)),
        "IF" => values.get(if values.first().is_some_and(is_true) { 1 } else { 2 }).cloned().unwrap_or_default(),
        "TRUE" => json!(true),
        "FALSE" => json!(false),
        "BLANK" => Value::Null,
        "LOWER" => json!(text(0).to_lowercase()),
        "UPPER" => json!(text(0).to_uppercase()),
        "TRIM" => json!(text(0).trim()),
        "LEN" => json!(text(0).chars().count()),
        "CONCATENATE" => json!(values.iter().map(words).collect::<String>()),
        "FIND" => json!(find(&text(1), &text(0))),
        "SEARCH" => json!(find(&text(1).to_lowercase(), &text(0).to_lowercase())),
        "ARRAYJOIN" => {
            let between = values.get(1).map_or_else(|| ", ".into(), words);
            let items = values.first().and_then(Value::as_array);
            json!(items.map_or_else(|| text(0), |items| items.iter().map(words).collect::<Vec<_>>().join(&between)))
        }
        "RECORD_ID" => json!(id),
        "NOW" => json!(now.to_string()),
        "TODAY" => json!(now.to_zoned(TimeZone::UTC).date().to_string()),
        "IS_BEFORE" => json!(matches!((moment(0), moment(1)), (Some(one), Some(other)) if one < other)),
        "IS_AFTER" => json!(matches!((moment(0), moment(1)), (Some(one), Some(other)) if one > other)),
        "IS_SAME" => json!(matches!((moment(0), moment(1)), (Some(one), Some(other)) if is_same(one, other, &text(2)))),
        _ => return Err(format!("Unknown function names: {name}")),
    })
}

/// Where a text begins in another, from 1; 0 where it does not.
fn find(whole: &str, part: &str) -> usize {
    whole.find(part).map_or(0, |at| whole[..at].chars().count() + 1)
}

fn moment(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(day)
}

fn is_same(one: Timestamp, other: Timestamp, unit: &str) -> bool {
    let day = |instant: Timestamp| instant.to_zoned(TimeZone::UTC).date();
    match unit {
        "day" => day(one) == day(other),
        "minute" => one.duration_since(other).abs() < SignedDuration::from_mins(1),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Value, &str>) {
        let row = |name: &str| match name {
            "Name" => json!("Contoso"),
            "Amount" => json!(480),
            "Tags" => json!(["a", "b"]),
            "Close" => json!("2026-12-09"),
            "a}b" => json!("odd"),
            _ => Value::Null,
        };
        let now = "2026-11-23T07:00:00Z".parse().unwrap();
        let value = parse(text).and_then(|formula| formula.value(&row, "rec1", now));
        assert_eq!(value, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn formulas_have_values() {
        check("{Amount}>100", Ok(json!(true)));
        check("AND({Amount}*2 = 960, NOT({Missing}))", Ok(json!(true)));
        check("Name & \"!\"", Ok(json!("Contoso!")));
        check("LOWER({Name}&\"\")=LOWER(\"CONTOSO\")", Ok(json!(true)));
        check("FIND(\"b\", ARRAYJOIN({Tags}, \"; \"))", Ok(json!(4)));
        check("{a\\}b}=\"o\\\"d\"", Ok(json!(false)));
        check("IS_BEFORE({Close}, '2026-12-10')", Ok(json!(true)));
        check("IS_SAME({Close}, \"2026-12-09T20:00:00.000Z\", \"day\")", Ok(json!(true)));
        check("RECORD_ID()=\"rec1\"", Ok(json!(true)));
        check("IF({Missing}=BLANK(), -1, 2)", Ok(json!(-1.0)));
        check("{Name", Err("`}` is missing"));
        check("NOPE()", Err("Unknown function names: NOPE"));
        check("{Amount} 5", Err("unexpected `5`"));
    }

    #[test]
    fn height_has_a_bound() {
        let deep = |levels: usize| parse(&format!("{}1{}", "(".repeat(levels), ")".repeat(levels)));
        assert!(deep(40).is_ok());
        assert!(deep(60).unwrap_err().contains("levels deep"));
        let row = |operators: usize| parse(&format!("1{}", "&1".repeat(operators)));
        assert!(row(HIGHEST - 1).is_ok());
        assert!(row(HIGHEST).unwrap_err().contains("levels deep"));
        assert!(parse(&"-".repeat(60)).is_err());
        assert!(parse(&format!("OR({})", vec!["{A}=1"; 5_000].join(","))).is_ok(), "wide is not high");
    }
}
