//! Texts as files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    place::{Place, at, timestamp},
    wire::UploadUrl,
    write, wrong,
};
use crate::{
    http::{Path, Request},
    tool::{Answer, Call, Effect, Result, Scopes, Tool, Written},
};

/// Where Slack's own addresses for uploads lie.
const DOMAINS: &[&str] = &["slack.com", "slack-files.com", "slack-gov.com"];
/// The largest text, 1 MiB: Slack shows no more of it.
const LARGEST: usize = 1024 * 1024;

/// Puts a text into a channel as a file: logs, tables, long reports.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadTextFile {
    /// Such as `#sales`, an id, or a person's `ana@example.com`.
    channel: String,
    /// With an ending that says what it is, such as `report.md` or `log.txt`.
    filename: String,
    /// The text, such as `# Report`.
    content: String,
    /// A word beside it, such as `The report of today`.
    comment: Option<String>,
    /// To put it into a thread: the `ts` of its first message.
    thread_ts: Option<String>,
}

/// A file that is there.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Uploaded {
    /// The id of the file.
    file_id: String,
    /// What it is called.
    filename: String,
    /// How large it is.
    bytes: usize,
    /// Where it was put.
    channel: Written,
    /// The id of the channel.
    channel_id: String,
}

impl Answer for Uploaded {
    fn text(&self) -> String {
        let Uploaded { file_id, filename, bytes, channel, channel_id } = self;
        format!("Uploaded {filename} ({bytes} bytes) to {channel} [id {channel_id}] [file {file_id}]")
    }
}

impl Tool for UploadTextFile {
    const NAME: &'static str = "slack_upload_text_file";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = Scopes(&["files:write"]);
    type Output = Uploaded;

    async fn call(self, cx: &Call) -> Result<Uploaded> {
        let filename = self.filename.trim();
        if filename.is_empty() || filename.contains(['/', '\\']) || filename.chars().any(char::is_control) {
            return Err(wrong("`filename` must be a plain name such as report.md"));
        }
        if self.content.is_empty() || self.content.len() > LARGEST {
            return Err(wrong("`content` must be between 1 byte and 1 MiB of text"));
        }
        let thread = self.thread_ts.as_deref().filter(|thread| !thread.trim().is_empty());
        let thread = thread.map(|thread| timestamp("thread_ts", thread)).transpose()?;
        let place = Place::find(cx, &self.channel).await?;
        let (deed, text) = (self.deed(filename), self.readable());
        place.confirm(cx, &deed, (&*text).into()).await?;
        let (id, channel) = (place.open(cx).await?, place.title(cx).await?);
        let file_id = self.upload(cx, filename).await?;
        let mut body = json!({ "files": [{ "id": file_id, "title": filename }], "channel_id": id });
        if let Some(comment) = self.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty()) {
            body["initial_comment"] = super::text::to_slack(comment).into();
        }
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        cx.send(write("files.completeUploadExternal", &body)).await.map_err(|error| at(error, &channel))?;
        Ok(Uploaded { file_id, filename: filename.to_owned(), bytes: self.content.len(), channel, channel_id: id })
    }
}

impl UploadTextFile {
    fn deed(&self, filename: &str) -> String {
        format!("Upload the file {filename} ({} bytes) to", self.content.len())
    }

    /// All that will be read.
    fn readable(&self) -> String {
        let comment = self.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty());
        comment.map_or_else(|| self.content.clone(), |comment| format!("{comment}\n{}", self.content))
    }

    /// Sends the bytes. Until a channel gets the file nobody sees it, so all of this may be repeated.
    async fn upload(&self, cx: &Call, filename: &str) -> Result<String> {
        let length = self.content.len().to_string();
        let arguments = [("filename", filename), ("length", &length)];
        let request = Request::post(Path::fixed("files.getUploadURLExternal")).form(&arguments).keyed();
        let place: UploadUrl = cx.fetch(request).await?;
        let bytes = self.content.clone().into_bytes();
        let request = Request::post(Path::new()).bytes("application/octet-stream", bytes).keyed();
        cx.send_elsewhere(&place.upload_url, DOMAINS, request).await?;
        Ok(place.file_id)
    }
}
