//! Files at mails, by their address.

use serde::Deserialize;

use super::{
    body::decoded,
    fetch,
    whole::kept,
    wire::Part,
};
use crate::{
    compute,
    tool::{Call, Document, Error, File, Readable, Result},
};

/// Where the files of mails are: the mail, and the number of the part in it.
pub(super) const ATTACHMENT: Readable =
    Readable::document::<Attachment>("gmail://attachment/{message_id}/{part_id}", "Attachment");

/// One file. Gmail's own id of it changes from look to look, so it is found by its place in the mail.
#[derive(Deserialize)]
pub(super) struct Attachment {
    message_id: String,
    part_id: String,
}

/// The address of a file.
pub(super) fn address(message_id: &str, part_id: &str) -> String {
    ATTACHMENT.address(&[message_id, part_id])
}

impl Document for Attachment {
    async fn read(self, cx: &Call) -> Result<File> {
        let mail = fetch(cx, &self.message_id, "full", &[]).await?;
        let missing = || Error::not_found(format!("attachment {} at the mail `{}`", self.part_id, self.message_id));
        let part = find(&mail.payload, &self.part_id).ok_or_else(missing)?;
        let data = match &part.body.attachment_id {
            None => part.body.data.clone(),
            Some(id) => kept(cx, &mail.id, id).await?.data,
        };
        let bytes = compute::run(move || decoded(&data)).await?;
        Ok(File::new(part.mime_type.clone(), bytes))
    }
}

fn find<'a>(part: &'a Part, id: &str) -> Option<&'a Part> {
    if part.part_id == id && part.parts.is_empty() {
        return Some(part);
    }
    part.parts.iter().find_map(|below| find(below, id))
}
