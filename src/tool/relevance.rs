//! How well a tool fits some words: for people and models who look for one.

use serde_json::Value;

/// How many words count. Each is looked for in every tool, and more than these say nothing more.
const MOST_WORDS: usize = 32;

/// The words that count, in lower case.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 1)
        .map(str::to_lowercase)
        .take(MOST_WORDS)
        .collect()
}

/// Three for a word in the name, two in the description, one in the parameters. `definition` is the MCP definition.
pub fn relevance(definition: &Value, words: &[String]) -> usize {
    let text = |field: &str| definition[field].as_str().unwrap_or_default().to_lowercase();
    let parameters = definition["inputSchema"].to_string().to_lowercase();
    let places = [(text("name"), 3), (text("description"), 2), (parameters, 1)];
    let worth = |word: &String| {
        places.iter().filter(|(place, _)| place.contains(word.as_str())).map(|(_, worth)| worth).sum::<usize>()
    };
    words.iter().map(worth).sum()
}
