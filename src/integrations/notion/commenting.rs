//! Comments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    confirm, get,
    place::{id_in, page_id, people},
    post,
    rich::{plain, words},
    wrong,
};
use crate::{
    path,
    tool::{Answer, Call, Cursor, Effect, Leads, Left, Result, Scopes, Tool, Written},
};

/// Writes a comment on a page, or answers in a discussion; those who watch the page are told.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddComment {
    /// Title, id or address of a page, such as `Launch plan`.
    page: Option<String>,
    /// Instead of a page: the `discussion_id` of a comment.
    discussion_id: Option<String>,
    /// Such as `Done, please have a look`.
    text: String,
}

/// A comment.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Comment {
    /// Its id.
    id: String,
    /// The discussion that it belongs to; answers take it.
    discussion_id: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<Written>,
    /// When, in UTC.
    created: String,
    /// What it says.
    text: Written,
}

impl Comment {
    fn of(comment: &Value, author: Option<&str>, is_own: bool) -> Comment {
        let text = |name: &str| comment[name].as_str().unwrap_or_default().to_owned();
        Comment {
            id: text("id"),
            discussion_id: text("discussion_id"),
            author: author.and_then(|author| Written::by_others(author).line(100).non_empty()),
            created: text("created_time"),
            text: Written::by(is_own, words(&comment["rich_text"])).line(2_000),
        }
    }

    fn line(&self) -> String {
        let author = self.author.as_ref().map(|author| format!("{author}: ")).unwrap_or_default();
        format!("{}  {author}{} [discussion {}]", self.created, self.text, self.discussion_id)
    }
}

impl Answer for Comment {
    fn text(&self) -> String {
        format!("Commented: {}", self.line())
    }
}

impl Tool for AddComment {
    const NAME: &'static str = "notion_add_comment";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Comment;

    async fn call(self, cx: &Call) -> Result<Comment> {
        if self.text.trim().is_empty() {
            return Err(wrong("`text` must not be empty"));
        }
        let mut body = json!({ "rich_text": plain(&self.text) });
        match (&self.page, &self.discussion_id) {
            (Some(page), None) => body["parent"] = json!({ "type": "page_id", "page_id": page_id(cx, page).await? }),
            (None, Some(discussion)) => {
                let id = id_in(discussion).ok_or_else(|| wrong("`discussion_id` is none"))?;
                body["discussion_id"] = json!(id);
            }
            _ => return Err(wrong("give either `page` or `discussion_id`")),
        }
        let place = self.page.as_deref().or(self.discussion_id.as_deref()).unwrap_or_default();
        confirm(cx, "Comment on", place, Leads::in_text(&self.text), &self.text)?;
        let comment: Value = cx.fetch(post(path!["v1", "comments"], &body)).await?;
        let mut made = Comment::of(&comment, None, true);
        if made.text.as_str().is_empty() {
            // Without the capability to read comments, Notion shows the id only.
            made.text = Written::by_account(&self.text).line(2_000);
        }
        Ok(made)
    }
}

/// Shows the open comments on a page, oldest first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListComments {
    /// Title, id or address, such as `Launch plan`.
    page: String,
    /// How many; else 50.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some comments.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Comments {
    /// Oldest first.
    comments: Vec<Comment>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for Comments {
    fn text(&self) -> String {
        let none = self.comments.is_empty().then(|| "No comments.".to_owned());
        let lines = self.comments.iter().map(Comment::line);
        none.into_iter().chain(lines).chain(Left::line(self.next_cursor.as_deref())).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListComments {
    const NAME: &'static str = "notion_list_comments";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Comments;

    async fn call(self, cx: &Call) -> Result<Comments> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let id = page_id(cx, &self.page).await?;
        let request = get(path!["v1", "comments"])
            .query("block_id", &id)
            .query("page_size", self.limit.unwrap_or(50))
            .query_opt("start_cursor", cursor);
        let page: Value = cx.fetch(request).await?;
        let found = page["results"].as_array().cloned().unwrap_or_default();
        // Names are worth a look-up, and none is worth a failure.
        let people = if found.is_empty() { Vec::new() } else { people(cx).await.unwrap_or_default() };
        let author = |comment: &Value| {
            let person = people.iter().find(|person| comment["created_by"]["id"] == *person.id);
            person.map(|person| person.name.clone())
        };
        let next_cursor = page["next_cursor"].as_str().map(|cursor| Cursor::wrap(Self::NAME, cursor));
        let comments = found.iter().map(|comment| Comment::of(comment, author(comment).as_deref(), false)).collect();
        Ok(Comments { comments, next_cursor })
    }
}
