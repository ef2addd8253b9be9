//! The rules of the tree: imports point down, a dependency has one home, and only integrations know vendors.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// From the ground up; the modules of one line do not know each other.
const LAYERS: &[&[&str]] = &[
    // Fresh tokens are secrets, so the ground has two levels.
    &["secret"],
    &["id", "clock", "compute", "text"],
    &["quota"],
    &["config", "telemetry", "schema", "moment", "listen"],
    &["http", "sandbox"],
    &["store"],
    &["vault", "agents", "audit", "approvals"],
    &["oauth", "issuer"],
    &["tool"],
    &["shelf"],
    &["integrations"],
    &["hub"],
    &["mcp", "api"],
    &["transport", "console", "voice"],
    &["cli"],
];

/// Where a dependency lives: behind our own types, in this part of the tree only.
const HOMES: &[(&str, &[&str])] = &[
    ("reqwest", &["http"]),
    ("governor", &["http"]),
    ("memchr", &["http"]),
    // Only here is a bound on what is compared.
    ("strsim", &["text"]),
    ("sled", &["store"]),
    ("sqlx", &["store"]),
    ("age", &["vault"]),
    ("oauth2", &["oauth"]),
    // Signatures of others; seals of our own on what clients fetch later.
    ("ring", &["issuer", "mcp"]),
    // Only these two know JSON-RPC.
    ("jsonrpsee", &["mcp", "transport"]),
    ("jsonschema", &["schema"]),
    ("clap", &["cli"]),
    ("jsonc_parser", &["cli"]),
    ("toml_edit", &["cli"]),
    ("toml", &["config"]),
    ("pulldown_cmark", &["integrations"]),
    // Pages of strangers are parsed at one place, within its bounds.
    ("htmd", &["tool"]),
    ("html5ever", &["tool"]),
    ("markup5ever_rcdom", &["tool"]),
    ("async_openai", &["voice"]),
    ("tokio_tungstenite", &["voice"]),
    ("rubato", &["voice"]),
    ("whisper_rs", &["voice"]),
    ("webrtc", &["voice"]),
    ("rtc", &["voice"]),
    ("ropus", &["voice"]),
    ("earshot", &["voice"]),
];

/// Layers that must not know any vendor, so that others can build on them with tools of their own.
const VENDOR_FREE: &[&str] = &["tool", "shelf", "mcp", "transport"];

/// All vendors, those to come included.
const VENDORS: &[&str] = &[
    "google-calendar",
    "salesforce",
    "hubspot",
    "slack",
    "gmail",
    "notion",
    "google-sheets",
    "airtable",
    "stripe",
    "zendesk",
    "jira",
    "github",
    "microsoft-calendar",
    "sendgrid",
    "intercom",
];

#[test]
fn imports_point_downward() {
    let files = source();
    let macros = files.iter().flat_map(File::macros).collect::<BTreeSet<_>>();
    let mut wrong = Vec::new();
    for file in &files {
        let Some(module) = file.module() else { continue };
        let Some(level) = level(module) else {
            wrong.push(format!("{}: `{module}` has no layer", file.name));
            continue;
        };
        for used in file.imports() {
            let is_lower = self::level(&used).is_some_and(|other| other < level);
            if used != module && !macros.contains(&used) && !is_lower {
                wrong.push(format!("{}: `{module}` imports `{used}`", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_command_line_starts_the_sandbox() {
    let used = |file: &&File| file.imports().iter().any(|used| used == "sandbox");
    let files = source();
    let wrong = files.iter().filter(used).filter(|file| !matches!(file.module(), Some("cli" | "sandbox")));
    assert_eq!(names(wrong), Vec::<&str>::new());
}

#[test]
fn every_dependency_has_one_home() {
    let files = source();
    for (dependency, homes) in HOMES {
        // The tests of twins ask with a client that is not ours, as a stranger would.
        let strangers = files.iter().filter(|file| file.module().is_none_or(|module| !homes.contains(&module)));
        let strangers = strangers.filter(|file| !file.is_test() && file.uses(dependency));
        assert_eq!(names(strangers), Vec::<&str>::new(), "`{dependency}` belongs to {homes:?}");
    }
}

#[test]
fn only_integrations_know_vendors() {
    let files = source();
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.module().is_some_and(|module| VENDOR_FREE.contains(&module))) {
        for text in file.texts() {
            let words = text.to_lowercase().replace('_', "-");
            let named = VENDORS.iter().filter(|vendor| names_vendor(&words, vendor));
            wrong.extend(named.map(|vendor| format!("{}: {vendor} in {text:?}", file.name)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether the vendor stands in a text, not as a part of a longer word.
fn names_vendor(words: &str, vendor: &str) -> bool {
    words.match_indices(vendor).any(|(at, _)| {
        let before = words[..at].chars().next_back();
        let after = words[at + vendor.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[test]
fn every_file_says_what_it_is_for() {
    let files = source();
    let silent = files.iter().filter(|file| !file.text.starts_with("//! "));
    assert_eq!(names(silent), Vec::<&str>::new());
}

fn level(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn names<'a>(files: impl Iterator<Item = &'a File>) -> Vec<&'a str> {
    files.map(|file| file.name.as_str()).collect()
}

/// One source file, read.
struct File {
    /// Its path below `src`.
    name: String,
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    /// `::`
    Path,
    Sign(char),
}

fn source() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&src).unwrap().display().to_string();
        File { name, tokens: tokens(&text), text }
    };
    rust_files(&src).into_iter().map(read).collect()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

impl File {
    /// The module of the crate that it belongs to; the crate's own two roots belong to none.
    fn module(&self) -> Option<&str> {
        let first = self.name.split('/').next().unwrap().trim_end_matches(".rs");
        (!matches!(first, "lib" | "main")).then_some(first)
    }

    /// Whether the whole file is there for tests.
    fn is_test(&self) -> bool {
        self.name.split(['/', '.']).any(|part| matches!(part, "tests" | "testing" | "suite"))
    }

    /// How far below the root of the crate its items stand.
    fn depth(&self) -> usize {
        self.name.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count()
    }

    /// The macros that it puts at the root of the crate.
    fn macros(&self) -> Vec<String> {
        let found = self.tokens.windows(3).filter_map(|window| match window {
            [Token::Word(keyword), Token::Sign('!'), Token::Word(name)] if keyword == "macro_rules" => {
                Some(name.clone())
            }
            _ => None,
        });
        found.collect()
    }

    /// Every name that is reached from the root of the crate: after `crate::`, after as many `super::` as lead there,
    /// in groups, in `use` and in the midst of code.
    fn imports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (at, depth) in self.depths().into_iter().enumerate() {
            let continues = at > 0 && self.tokens[at - 1] == Token::Path;
            let (is_root, after) = match word(&self.tokens[at]) {
                Some("crate") if !continues => (true, at + 1),
                Some("super") if !continues => {
                    let supers = self.supers(at);
                    (supers == depth, at + 2 * supers - 1)
                }
                _ => (false, at),
            };
            if is_root && self.tokens.get(after) == Some(&Token::Path) {
                found.extend(first_names(&self.tokens[after + 1..]));
            }
        }
        found
    }

    /// For every token how far below the root it stands, counting modules within the file.
    fn depths(&self) -> Vec<usize> {
        let mut braces = Vec::new();
        let mut depths = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Sign('{') => {
                    let before = at.checked_sub(2).and_then(|at| word(&self.tokens[at]));
                    braces.push(usize::from(before == Some("mod")));
                }
                Token::Sign('}') => drop(braces.pop()),
                _ => {}
            }
            depths.push(self.depth() + braces.iter().sum::<usize>());
        }
        depths
    }

    /// How many `super::` stand in a row.
    fn supers(&self, at: usize) -> usize {
        self.tokens[at..].chunks(2).take_while(|pair| word(&pair[0]) == Some("super")).count()
    }

    /// Whether a path begins with the name of a dependency.
    fn uses(&self, dependency: &str) -> bool {
        self.tokens.windows(3).any(|window| {
            let begins = window[0] != Token::Path;
            begins && word(&window[1]) == Some(dependency) && window[2] == Token::Path
        })
    }

    /// The texts in its code; what stands in tests may name anything.
    fn texts(&self) -> Vec<&str> {
        if self.is_test() {
            return Vec::new();
        }
        let is_tests = |window: &[Token]| word(&window[0]) == Some("mod") && word(&window[1]) == Some("tests");
        let end = self.tokens.windows(2).position(is_tests).unwrap_or(self.tokens.len());
        let texts = self.tokens[..end].iter().filter_map(|token| match token {
            Token::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

fn word(token: &Token) -> Option<&str> {
    match token {
        Token::Word(word) => Some(word),
        _ => None,
    }
}

/// The first names of what follows a `::`: one, or those of a group. A macro that is called is none.
fn first_names(tokens: &[Token]) -> Vec<String> {
    if tokens.first() != Some(&Token::Sign('{')) {
        let is_call = tokens.get(1) == Some(&Token::Sign('!'));
        return tokens.first().filter(|_| !is_call).and_then(word).and_then(lower).into_iter().collect();
    }
    let mut found = Vec::new();
    let mut depth = 0;
    let mut starts = false;
    for token in tokens {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth -= 1,
            Token::Word(word) if depth == 1 && starts => found.extend(lower(word)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        starts = depth == 1 && matches!(token, Token::Sign('{' | ','));
    }
    found
}

/// Modules are written small; types and `self` at the root are not modules.
fn lower(name: &str) -> Option<String> {
    (name != "self" && name.starts_with(|c: char| c.is_ascii_lowercase())).then(|| name.to_owned())
}

/// Splits code into words, texts and signs; comments are left out.
fn tokens(code: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some((text, length)) = text(rest) {
            found.push(Token::Text(text));
            length
        } else if let Some(length) = character(rest) {
            length
        } else if c.is_alphanumeric() || c == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(Token::Word(rest[..length].to_owned()));
            length
        } else if rest.starts_with("::") {
            found.push(Token::Path);
            2
        } else {
            if !c.is_whitespace() {
                found.push(Token::Sign(c));
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// A string literal at the beginning, plain or raw, and how long it is.
fn text(code: &str) -> Option<(String, usize)> {
    let prefix =
        code.find('"').filter(|at| matches!(code[..*at].trim_end_matches('#'), "" | "b" | "r" | "br" | "c"))?;
    let hashes = code[..prefix].matches('#').count();
    let is_raw = code[..prefix].contains('r');
    let body = &code[prefix + 1..];
    let close = format!("\"{}", "#".repeat(hashes));
    let mut at = 0;
    loop {
        let end = at + body[at..].find(['"', '\\'])?;
        if body[end..].starts_with('\\') && !is_raw {
            at = end + 1 + body[end + 1..].chars().next()?.len_utf8();
        } else if body[end..].starts_with(&close) {
            return Some((body[..end].to_owned(), prefix + 1 + end + close.len()));
        } else {
            at = end + 1;
        }
    }
}

/// The length of a character literal at the beginning; a lifetime is none.
fn character(code: &str) -> Option<usize> {
    let body = code.strip_prefix('\'')?;
    let first = body.chars().next()?;
    let end = if first == '\\' { 1 + body[1..].chars().next()?.len_utf8() } else { first.len_utf8() };
    let close = end + body[end..].find('\'')?;
    let is_literal =
        close == end || first == '\\' && body[end..close].chars().all(|c| c.is_alphanumeric() || "{}".contains(c));
    is_literal.then_some(close + 2)
}

mod the_reader {
    use super::*;

    fn imports(name: &str, code: &str) -> Vec<String> {
        File { name: name.into(), text: code.into(), tokens: tokens(code) }.imports()
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        assert_eq!(imports("hub/a.rs", "use crate::{a, b::{self, c::d}, e::F};"), ["a", "b", "e"]);
        assert_eq!(imports("hub/a.rs", "fn f(x: crate::tool::Call) { crate::http::get(x) }"), ["tool", "http"]);
        assert_eq!(imports("hub/a.rs", "pub(in crate::hub::desk) fn f() {}"), ["hub"]);
        assert_eq!(imports("hub/a.rs", "#[cfg(test)] mod tests { use crate::cli; }"), ["cli"]);
        assert_eq!(imports("hub/a.rs", "use super::super::mcp;"), ["mcp"]);
        assert_eq!(imports("hub/mod.rs", "mod tests { use super::super::mcp; use super::inner; }"), ["mcp"]);
        assert_eq!(imports("moment.rs", "use super::mcp;"), ["mcp"]);
    }

    #[test]
    fn what_is_no_code_is_passed_over() {
        assert_eq!(imports("hub/a.rs", "//! [`crate::cli`]\n/// crate::mcp\n// crate::api\n"), Vec::<String>::new());
        assert_eq!(
            imports("hub/a.rs", r##"let x = "crate::cli"; let y = r#"crate::"mcp"#; '"'"##),
            Vec::<String>::new()
        );
        assert_eq!(
            imports("hub/a.rs", "let x = crate::path![1]; use super::desk; impl<'a> crate::Thing {}"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_vendor_is_a_whole_word() {
        assert!(names_vendor("connect slack first", "slack"));
        assert!(!names_vendor("slackers", "slack"));
    }

    #[test]
    fn a_dependency_is_the_beginning_of_a_path() {
        let file = |code: &str| File { name: "hub/a.rs".into(), text: String::new(), tokens: tokens(code) };
        assert!(file("use sled::Db;").uses("sled"));
        assert!(!file("use store::sled::Sled;").uses("sled"));
    }
}
