//! Several records in one call, ten a request.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    BATCH,
    cells::{Cells, confirm},
    creating::{Deed, Done, with_typecast},
    place::Place,
    wire::Upserted,
    wrong,
};
use crate::{
    http::Request,
    tool::{Answer, Call, Error, Pair, Result},
};

/// Records that were written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AllWritten {
    /// How many are new.
    pub(super) created: usize,
    /// How many were there before.
    pub(super) updated: usize,
    /// In the order in which they were given.
    pub(super) records: Vec<Done>,
}

impl AllWritten {
    /// How many lines a text has at most; the structure has all.
    const LINES: usize = 30;

    fn of(records: Vec<Done>) -> AllWritten {
        let created = records.iter().filter(|one| one.is_created()).count();
        AllWritten { created, updated: records.len() - created, records }
    }
}

impl Answer for AllWritten {
    fn text(&self) -> String {
        let head = format!("{} created, {} updated.", self.created, self.updated);
        let lines = self.records.iter().take(Self::LINES).map(Done::brief);
        let left = self.records.len().saturating_sub(Self::LINES);
        let more = (left > 0).then(|| format!("And {left} more."));
        std::iter::once(head).chain(lines).chain(more).collect::<Vec<_>>().join("\n")
    }
}

/// Reads the values of all rows before the first is written, so that a slip in the last one stops all of them. An empty
/// cell sets nothing.
pub(super) async fn read_all(
    cx: &Call,
    place: &Place,
    columns: &[String],
    rows: &[Vec<String>],
    typecast: bool,
) -> Result<Vec<Cells>> {
    let mut all = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if row.len() > columns.len() {
            return Err(wrong(format!("`rows[{at}]` has {} cells for {} columns", row.len(), columns.len())));
        }
        let filled = columns.iter().zip(row).filter(|(_, value)| !value.trim().is_empty());
        let pairs: Vec<_> = filled.map(|(name, value)| Pair { name: name.clone(), value: value.clone() }).collect();
        all.push(Cells::read(cx, place, &pairs, typecast).await.map_err(|error| in_row(error, at))?);
    }
    if all.is_empty() { Err(wrong("`rows` must have at least one row")) } else { Ok(all) }
}

fn in_row(error: Error, at: usize) -> Error {
    let next = error.next_step().map(str::to_owned);
    let located = Error::new(error.kind(), format!("In `rows[{at}]`: {}", error.what()));
    match next {
        Some(next) => located.next(next),
        None => located,
    }
}

/// Records to write, and how.
pub(super) struct Batches<'a> {
    pub(super) place: &'a Place,
    pub(super) all: &'a [Cells],
    /// The fields by which records that are there already are recognised; without them all are new.
    pub(super) keys: Option<&'a [String]>,
    pub(super) typecast: bool,
}

impl Batches<'_> {
    /// Writes them. An error says what was written before.
    pub(super) async fn write(&self, cx: &Call) -> Result<AllWritten> {
        confirm(cx, self.place, self.all)?;
        let mut written = Vec::new();
        for batch in self.all.chunks(BATCH) {
            match cx.fetch(self.request(batch)).await {
                Ok(done) => written.extend(self.written(&done)),
                Err(error) => {
                    let error = batch.iter().fold(error, |error, cells| cells.explain(error));
                    return Err(broken_off(error, &written, self.all.len()));
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a hundred at most")]
            cx.progress(written.len() as f64, Some(self.all.len() as f64), "records written");
        }
        Ok(AllWritten::of(written))
    }

    fn request(&self, batch: &[Cells]) -> Request {
        let records: Vec<_> = batch.iter().map(|cells| json!({ "fields": cells.fields })).collect();
        let body = with_typecast(json!({ "records": records }), self.typecast);
        let Some(keys) = self.keys else { return Request::post(self.place.path()).json(&body) };
        let mut body = body;
        body["performUpsert"] = json!({ "fieldsToMergeOn": keys });
        Request::patch(self.place.path()).json(&body).keyed()
    }

    fn written(&self, done: &Upserted) -> Vec<Done> {
        let is_new = |id: &String| self.keys.is_none() || done.created_records.contains(id);
        let deed = |id: &String| if is_new(id) { Deed::Created } else { Deed::Updated };
        done.records.iter().map(|record| Done::of(deed(&record.id), record.clone(), self.place)).collect()
    }
}

/// Says how far it came, so that nothing is written twice.
fn broken_off(error: Error, written: &[Done], all: usize) -> Error {
    if written.is_empty() {
        return error;
    }
    let (count, next) = (written.len(), error.next_step().unwrap_or_default());
    let what = format!("{count} of {all} records were written and stay. Then: {}", error.what());
    let next = format!("{next} Go on with `rows[{count}]`.").trim().to_owned();
    Error::new(error.kind(), what).next(next).after(error.retry_after()).because(error)
}
