//! Texts that Gmail keeps apart from their mail because they are long, put back in their place.

use super::{
    body,
    wire::{self, Message, Part},
};
use crate::{
    http::Request,
    path,
    tool::{Call, Result},
};

/// How many texts of one mail are fetched. A mail has one or two.
const MOST: usize = 8;

/// The mail with all its texts; files stay where they are.
pub(super) async fn whole(cx: &Call, mut mail: Message) -> Result<Message> {
    let mut apart = Vec::new();
    gather(&mut mail.payload, &mut apart);
    for (part, id) in apart.into_iter().take(MOST) {
        part.body = kept(cx, &mail.id, &id).await?;
    }
    Ok(mail)
}

/// What Gmail keeps under an id of an attachment.
pub(super) async fn kept(cx: &Call, message_id: &str, attachment_id: &str) -> Result<wire::Body> {
    cx.fetch(Request::get(path!["users", "me", "messages", message_id, "attachments", attachment_id])).await
}

fn gather<'a>(part: &'a mut Part, apart: &mut Vec<(&'a mut Part, String)>) {
    let is_text = matches!(part.mime_type.as_str(), "text/plain" | "text/html") && !body::is_file(part);
    if is_text
        && part.body.data.is_empty()
        && let Some(id) = part.body.attachment_id.clone()
    {
        apart.push((part, id));
        return;
    }
    part.parts.iter_mut().for_each(|below| gather(below, apart));
}
