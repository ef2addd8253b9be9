//! The engines, each behind the same small interface: a write returns when it survives the death of the process.

use std::{collections::BTreeMap, path::Path};

/// What a kill or damage is judged by.
pub type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// Whatever an engine says when it cannot go on.
pub type Failure = Box<dyn std::error::Error>;

/// One open store.
pub trait Engine {
    /// Writes one record, on the disk when it returns.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Failure>;
    /// Everything that is in it.
    fn all(&self) -> Result<Records, Failure>;
}

/// The names that the command line takes.
pub const NAMES: [&str; 4] = ["sled", "redb", "fjall", "sqlite"];

/// Opens the store in `dir`, or makes it there.
pub fn open(name: &str, dir: &Path) -> Result<Box<dyn Engine>, Failure> {
    Ok(match name {
        "sled" => Box::new(sled::Config::new().path(dir.join("sled")).flush_every_ms(None).open()?),
        "redb" => Box::new(redb::Database::create(dir.join("store.redb"))?),
        "fjall" => Box::new(Fjall::open(dir)?),
        "sqlite" => Box::new(sqlite(dir)?),
        other => return Err(format!("no engine is called `{other}`; there are {}", NAMES.join(", ")).into()),
    })
}

impl Engine for sled::Db {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        self.insert(key, value)?;
        self.flush()?;
        Ok(())
    }

    fn all(&self) -> Result<Records, Failure> {
        self.iter().map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(Into::into)).collect()
    }
}

const TABLE: redb::TableDefinition<'static, &[u8], &[u8]> = redb::TableDefinition::new("records");

impl Engine for redb::Database {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        let transaction = self.begin_write()?;
        transaction.open_table(TABLE)?.insert(key, value)?;
        Ok(transaction.commit()?)
    }

    fn all(&self) -> Result<Records, Failure> {
        use redb::{ReadableDatabase, ReadableTable};
        let transaction = self.begin_read()?;
        let table = match transaction.open_table(TABLE) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Records::new()),
            table => table?,
        };
        let pairs = table.iter()?;
        pairs
            .map(|pair| pair.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).map_err(Into::into))
            .collect()
    }
}

struct Fjall {
    database: fjall::Database,
    records: fjall::Keyspace,
}

impl Fjall {
    fn open(dir: &Path) -> Result<Fjall, Failure> {
        let database = fjall::Database::builder(dir.join("fjall")).open()?;
        let records = database.keyspace("records", fjall::KeyspaceCreateOptions::default)?;
        Ok(Fjall { database, records })
    }
}

impl Engine for Fjall {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        self.records.insert(key, value)?;
        Ok(self.database.persist(fjall::PersistMode::SyncAll)?)
    }

    fn all(&self) -> Result<Records, Failure> {
        let pairs = self.records.iter().map(|guard| guard.into_inner());
        pairs.map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(Into::into)).collect()
    }
}

fn sqlite(dir: &Path) -> Result<rusqlite::Connection, Failure> {
    let connection = rusqlite::Connection::open(dir.join("store.sqlite"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    )?;
    Ok(connection)
}

impl Engine for rusqlite::Connection {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        self.prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2)")?.execute((key, value))?;
        Ok(())
    }

    fn all(&self) -> Result<Records, Failure> {
        let mut statement = self.prepare("SELECT key, value FROM records")?;
        let pairs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }
}
