//! Out: every lasting record, page by page, into a file.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::{
    super::{Error, Result, Vault, rows, seal},
    Exported, Footer, Header, Line, VERSION,
    file::{Draft, Lock},
    lasts, unfit,
};
use crate::store::{Key, Record, SCHEMA_VERSION, Table};

/// How many records are asked for at once.
const PAGE: usize = 256;

/// A line on its way into the file.
type Text = Zeroizing<Vec<u8>>;

/// Rows without a code are taken along only where the whole store is known to be of before they had one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vault) enum Uncoded {
    TakeAlong,
    LeaveOut,
}

pub(in crate::vault) async fn export(vault: &Vault, file: &Path, lock: Lock, uncoded: Uncoded) -> Result<Exported> {
    let (lines, arriving) = mpsc::channel(PAGE);
    let path = file.to_owned();
    let writing = tokio::task::spawn_blocking(move || write(&path, &lock, arriving));
    let gathered = gather(vault, uncoded, &lines).await;
    drop(lines);
    let written = writing.await.unwrap_or_else(|error| Err(unfit(file, error)));
    // A writer that gave up is why nothing more could be gathered.
    written?;
    Ok(Exported { file: file.to_owned(), ..gathered? })
}

/// Takes lines until the last one, and only then gives the file its name.
fn write(file: &Path, lock: &Lock, mut lines: mpsc::Receiver<Text>) -> Result<()> {
    let mut draft = Draft::begin(file, lock)?;
    let mut is_whole = false;
    while let Some(line) = lines.blocking_recv() {
        is_whole = line.starts_with(br#"{"end""#);
        draft.line(&line)?;
    }
    // Without the last line the gathering has failed, and says why.
    if is_whole { draft.finish() } else { Ok(()) }
}

async fn gather(vault: &Vault, uncoded: Uncoded, lines: &mpsc::Sender<Text>) -> Result<Exported> {
    send(lines, &Header { switchboard_export: VERSION, layout: SCHEMA_VERSION }).await?;
    let mut gathered = Exported::default();
    for table in Table::ALL {
        let count = gather_table(vault, table, uncoded, lines, &mut gathered.left_out).await?;
        if count > 0 {
            gathered.records.push((table.name().to_owned(), count));
        }
    }
    send(lines, &Footer { end: gathered.records.iter().map(|(_, count)| count).sum() }).await?;
    Ok(gathered)
}

async fn gather_table(
    vault: &Vault,
    table: Table,
    uncoded: Uncoded,
    lines: &mpsc::Sender<Text>,
    left_out: &mut Vec<String>,
) -> Result<u64> {
    let mut count = 0;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = vault.raw().scan(table, b"", after.as_deref(), PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = Some(last.clone());
        for record in page {
            let key = Key::raw(table, record.0.as_slice());
            if !lasts(&key) {
                continue;
            }
            match gather_record(vault, &key, &record, uncoded, lines).await {
                Ok(()) => count += 1,
                Err(error) if error.is_of_one_record() => left_out.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
    }
}

async fn gather_record(
    vault: &Vault,
    key: &Key,
    (id, stored): &Record,
    uncoded: Uncoded,
    lines: &mpsc::Sender<Text>,
) -> Result<()> {
    let id = hex(id);
    let table = key.table.name();
    if !rows::is_sealed(key, &stored.value) {
        let is_of_before = uncoded == Uncoded::TakeAlong && rows::key_of(&stored.value).is_none();
        let row = if is_of_before { Ok(stored.value.clone()) } else { rows::row(&vault.keys(), key, &stored.value) };
        let plain = Some(STANDARD.encode(row?));
        return send(lines, &Line { table, id, sealed: None, plain }).await;
    }
    let text = seal::open(&vault.keys(), key, &stored.value)?;
    let value: &RawValue = serde_json::from_str(&text).map_err(|_| Error::Unfitting(key.clone()))?;
    send(lines, &Line { table, id, sealed: Some(value), plain: None }).await
}

fn hex(id: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
    id.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

async fn send(lines: &mpsc::Sender<Text>, line: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_vec(line).map(Zeroizing::new).expect("lines are made of JSON");
    // The writer says itself why it gave up.
    lines.send(text).await.map_err(|_| unfit(Path::new("the file"), "it could not be written"))
}
