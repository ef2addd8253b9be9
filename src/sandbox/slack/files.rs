//! Files: an address to send the bytes to, then the word that they are there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Slack, errors::refusal, membership::check_inside, messages::Message, number, ok, text};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// A file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// `F…`.
    pub id: String,
    pub name: String,
    pub title: String,
    pub size: i64,
    /// What was sent, once it was.
    pub content: Option<String>,
    /// Whether it was shared.
    pub is_complete: bool,
}

impl File {
    pub fn json(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "title": self.title, "size": self.size, "mimetype": "text/plain" })
    }
}

impl Slack {
    /// The file with this id.
    pub fn file(&self, id: &str) -> Option<&File> {
        self.files.iter().find(|file| file.id == id)
    }

    fn file_mut(&mut self, id: &str) -> Option<&mut File> {
        self.files.iter_mut().find(|file| file.id == id)
    }
}

pub fn get_url(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    let (name, size) = (text(call, "filename"), number(call, "length").unwrap_or_default());
    if name.is_empty() || size < 1 {
        return Err(refusal("invalid_arguments"));
    }
    let id = slack.fresh_id('F');
    let host = call.header("host").unwrap_or_default();
    let url = format!("http://{host}/upload/v1/{id}");
    let (name, title, content) = (name.to_owned(), name.to_owned(), None);
    slack.files.push(File { id: id.clone(), name, title, size, content, is_complete: false });
    Ok(ok(json!({ "upload_url": url, "file_id": id })))
}

/// Takes the bytes. The address answers in plain words, unlike the rest.
pub fn upload(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    let content = call.body.as_str().unwrap_or_default().to_owned();
    let file = slack.file_mut(call.segment("file")).ok_or_else(|| Answer::html(404, "Not found".into()))?;
    if i64::try_from(content.len()) != Ok(file.size) {
        return Err(Answer::html(400, "Wrong length".into()));
    }
    file.content = Some(content);
    Ok(Answer::html(200, format!("OK - {}", file.size)))
}

/// Shares files that were uploaded. With a channel, a message carries them.
pub fn complete(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    let wanted = call.body["files"].as_array().filter(|files| !files.is_empty());
    let wanted = wanted.ok_or_else(|| refusal("invalid_arguments"))?;
    let (mut ids, mut shown) = (vec![], vec![]);
    for one in wanted {
        let id = one["id"].as_str().unwrap_or_default();
        let file = slack.file_mut(id).filter(|file| !file.is_complete).ok_or_else(|| refusal("file_not_found"))?;
        if file.content.is_none() {
            return Err(refusal("file_update_failed"));
        }
        if let Some(title) = one["title"].as_str() {
            title.clone_into(&mut file.title);
        }
        file.is_complete = true;
        ids.push(file.id.clone());
        shown.push(json!({ "id": file.id, "title": file.title }));
    }
    if !text(call, "channel_id").is_empty() {
        share(slack, call, ids)?;
    }
    Ok(ok(json!({ "files": shown })))
}

fn share(slack: &mut Slack, call: &Call<'_>, files: Vec<String>) -> Result<(), Answer> {
    let channel = slack.channel(text(call, "channel_id"))?;
    check_inside(channel, &slack.me)?;
    let channel = channel.id.clone();
    let thread = text(call, "thread_ts");
    if !thread.is_empty() && slack.messages_of(&channel).iter().all(|message| message.ts != thread) {
        return Err(refusal("thread_not_found"));
    }
    let message = Message {
        ts: slack.next_ts(call.now),
        user: slack.me.clone(),
        text: text(call, "initial_comment").to_owned(),
        thread_ts: Some(thread.to_owned()).filter(|thread| !thread.is_empty()),
        files,
        ..Message::default()
    };
    slack.add(call.now, &channel, message);
    Ok(())
}
