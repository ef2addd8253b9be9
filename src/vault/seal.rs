//! One sealed record: layout, key id, authentication code, age file.
//!
//! ```text
//! 1 byte    layout, 1
//! 8 bytes   key id: the start of SHA-256 of the recipient
//! 32 bytes  HMAC-SHA256 over table, id and all that follows
//! rest      age file of {"v":1,"bind":"connections|local|gmail|default","seq":…,"value":…}
//! ```
//!
//! The age crate is taken because its format is public: with the identity, a record can be opened by the ordinary
//! `age` tool once the first 41 bytes are cut off. age does not say who sealed, so that whoever knows the recipient
//! could forge; the code, keyed from the identity itself, closes that, and binds the record to its place. `bind`
//! inside does the same once more for records that come back from elsewhere, such as an export.

use std::{
    borrow::Cow,
    io::{Read, Write},
    iter,
};

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    Error, Result,
    identity::{KEY_ID_LEN, KeyId, KeyRing, MasterKey},
};
use crate::store::Key;

/// The layout; JSON never starts with this byte, so that sealed and plain records can be told apart.
const LAYOUT: u8 = 1;

const MAC_LEN: usize = 32;

#[derive(Serialize)]
struct Sealing<'a, T: ?Sized> {
    v: u8,
    bind: String,
    seq: u64,
    value: &'a T,
}

#[derive(Deserialize)]
struct Sealed<'a> {
    v: u8,
    #[serde(borrow)]
    bind: Cow<'a, str>,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// The parts of a stored record.
struct Parts<'a> {
    key_id: KeyId,
    mac: &'a [u8; MAC_LEN],
    file: &'a [u8],
}

/// Seals `value` for the record `key`.
pub(super) fn seal<T: Serialize + ?Sized>(master: &MasterKey, key: &Key, seq: u64, value: &T) -> Result<Vec<u8>> {
    let sealing = Sealing { v: LAYOUT, bind: key.label(), seq, value };
    let text = serde_json::to_vec(&sealing).map(Zeroizing::new).map_err(|_| Error::Unfitting(key.clone()))?;
    // Writing to memory does not fail, and a recipient is given; an error here would be age's own.
    let file = encrypt(master, &text).map_err(|_| Error::Unfitting(key.clone()))?;
    let mut sealed = vec![LAYOUT];
    sealed.extend(master.id().bytes());
    sealed.extend(mac(master, key, &file).finalize().into_bytes());
    sealed.extend(file);
    Ok(sealed)
}

/// The JSON text that was sealed for the record `key`.
pub(super) fn open(keys: &KeyRing, key: &Key, sealed: &[u8]) -> Result<Zeroizing<String>> {
    let parts = parts(sealed).ok_or_else(|| Error::UnknownLayout(key.clone()))?;
    let master = keys.by_id(parts.key_id).ok_or_else(|| Error::WrongKey(key.clone()))?;
    let authentic = mac(master, key, parts.file).verify_slice(parts.mac).is_ok();
    let text = decrypt(master, parts.file).ok_or_else(|| Error::Tampered(key.clone()))?;
    let sealed: Sealed = serde_json::from_slice(&text).map_err(|_| Error::Tampered(key.clone()))?;
    if !bool::from(sealed.bind.as_bytes().ct_eq(key.label().as_bytes())) {
        return Err(Error::Swapped(key.clone()));
    }
    if !authentic {
        return Err(Error::Tampered(key.clone()));
    }
    if sealed.v != LAYOUT {
        return Err(Error::UnknownLayout(key.clone()));
    }
    Ok(Zeroizing::new(sealed.value.get().to_owned()))
}

/// Which key a stored record is sealed with; `None` when it is not sealed.
pub(super) fn key_of(sealed: &[u8]) -> Option<KeyId> {
    parts(sealed).map(|parts| parts.key_id)
}

fn parts(sealed: &[u8]) -> Option<Parts<'_>> {
    let rest = sealed.strip_prefix(&[LAYOUT])?;
    let (key_id, rest) = rest.split_first_chunk::<KEY_ID_LEN>()?;
    let (mac, file) = rest.split_first_chunk()?;
    Some(Parts { key_id: KeyId::new(*key_id), mac, file })
}

/// The code over everything that makes the record what it is; lengths keep the parts apart.
fn mac(master: &MasterKey, key: &Key, file: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(master.mac_key()).expect("HMAC takes keys of any length");
    mac.update(&[LAYOUT]);
    for part in [master.id().bytes().as_slice(), key.table.name().as_bytes(), &key.id, file] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

fn encrypt(master: &MasterKey, text: &[u8]) -> std::result::Result<Vec<u8>, age::EncryptError> {
    let encryptor = age::Encryptor::with_recipients(iter::once(master.recipient() as &dyn age::Recipient))?;
    let mut file = Vec::with_capacity(text.len() + 512);
    let mut writer = encryptor.wrap_output(&mut file)?;
    writer.write_all(text)?;
    writer.finish()?;
    Ok(file)
}

/// What is in an age file; `None` when it is damaged or not for this key.
fn decrypt(master: &MasterKey, file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let decryptor = age::Decryptor::new_buffered(file).ok()?;
    let mut reader = decryptor.decrypt(iter::once(master.identity() as &dyn age::Identity)).ok()?;
    // With room for all of it, no copy of the text is left behind by growing.
    let mut text = Zeroizing::new(Vec::with_capacity(file.len()));
    reader.read_to_end(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Table;

    fn key(id: &str) -> Key {
        Key::of(Table::Connections, &["local", id]).unwrap()
    }

    fn sealed(keys: &KeyRing, key: &Key) -> Vec<u8> {
        seal(keys.newest(), key, 1, &"hush").unwrap()
    }

    #[test]
    fn a_record_opens_under_its_own_key() {
        let keys = KeyRing::generate();
        let record = sealed(&keys, &key("gmail"));
        assert_eq!(*open(&keys, &key("gmail"), &record).unwrap(), "\"hush\"");
        assert_eq!(key_of(&record), Some(keys.newest().id()));
        assert_eq!(key_of(b"{}"), None);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let keys = KeyRing::generate();
        let record = sealed(&keys, &key("gmail"));
        for at in 0..record.len() {
            let mut damaged = record.clone();
            damaged[at] ^= 1 << (at % 8);
            let error = open(&keys, &key("gmail"), &damaged).expect_err("a bit differs");
            let fits = match at {
                0 => matches!(error, Error::UnknownLayout(_)),
                1..=8 => matches!(error, Error::WrongKey(_)),
                _ => matches!(error, Error::Tampered(_)),
            };
            assert!(fits, "byte {at}: {error}");
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        let keys = KeyRing::generate();
        let record = sealed(&keys, &key("gmail"));
        for len in 0..record.len() {
            open(&keys, &key("gmail"), &record[..len]).expect_err("the end is missing");
        }
    }

    #[test]
    fn swapped_records_are_named_so() {
        let keys = KeyRing::generate();
        let record = sealed(&keys, &key("gmail"));
        assert!(matches!(open(&keys, &key("slack"), &record), Err(Error::Swapped(_))));
        let elsewhere = Key { table: Table::OAuthApps, ..key("gmail") };
        assert!(matches!(open(&keys, &elsewhere, &record), Err(Error::Swapped(_))));
    }

    #[test]
    fn who_knows_only_the_recipient_cannot_forge() {
        let keys = KeyRing::generate();
        let mut forged = sealed(&keys, &key("gmail"));
        let body = encrypt(keys.newest(), br#"{"v":1,"bind":"connections|local|gmail","seq":2,"value":"mine"}"#);
        forged.truncate(1 + KEY_ID_LEN + MAC_LEN);
        forged.extend(body.unwrap());
        assert!(matches!(open(&keys, &key("gmail"), &forged), Err(Error::Tampered(_))));
    }

    #[test]
    fn another_identity_is_named_so() {
        let record = sealed(&KeyRing::generate(), &key("gmail"));
        assert!(matches!(open(&KeyRing::generate(), &key("gmail"), &record), Err(Error::WrongKey(_))));
    }
}
