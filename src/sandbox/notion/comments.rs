//! Comments.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Notion, errors, page as list_page, rich, time};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// A comment on a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: String,
    /// The discussion that it belongs to.
    pub discussion: String,
    /// The page.
    pub page: String,
    /// Who wrote it.
    pub author: String,
    /// What it says.
    pub text: Value,
    /// When.
    pub created: Timestamp,
}

impl Notion {
    fn shown_comment(&self, comment: &Comment) -> Value {
        let person = self.people.iter().find(|(id, _)| *id == comment.author);
        let kind = if person.is_some() { "user" } else { "integration" };
        let name = person.map_or("Switchboard", |(_, person)| person.name.as_str());
        json!({
            "object": "comment", "id": comment.id, "discussion_id": comment.discussion, "rich_text": comment.text,
            "parent": { "type": "page_id", "page_id": comment.page },
            "created_by": { "object": "user", "id": comment.author }, "created_time": time(comment.created),
            "last_edited_time": time(comment.created), "display_name": { "type": kind, "resolved_name": name },
        })
    }
}

/// `comments`
pub fn list(world: &Notion, call: &Call<'_>) -> Outcome {
    let id = call.query("block_id").unwrap_or_default();
    world.page(id)?;
    let here = world.comments.iter().filter(|comment| comment.page == id);
    let all = here.map(|comment| world.shown_comment(comment)).collect();
    list_page(all, "comment", call.query("start_cursor"), call.number("page_size"))
}

/// `comments`, one more.
pub fn create(world: &mut Notion, call: &Call<'_>) -> Outcome {
    let text = rich::accept(&call.body["rich_text"], "body.rich_text")?;
    let (discussion, page) = match (call.body["discussion_id"].as_str(), call.body["parent"]["page_id"].as_str()) {
        (Some(discussion), None) => {
            let known = world.comments.iter().find(|comment| comment.discussion == discussion);
            let known = known.ok_or_else(|| errors::not_found("discussion", discussion))?;
            (discussion.to_owned(), known.page.clone())
        }
        (None, Some(page)) => {
            let page = world.page(page)?.id.clone();
            (world.new_id(), page)
        }
        _ => {
            return Err(errors::invalid(
                "body failed validation: body.parent or body.discussion_id should be defined.",
            ));
        }
    };
    let comment = Comment { id: world.new_id(), discussion, page, author: world.bot.clone(), text, created: call.now };
    let shown = world.shown_comment(&comment);
    world.comments.push(comment);
    Ok(Answer::ok(shown))
}
