//! The spreadsheets at the beginning, and how their sheets look to a person.
//!
//! One spreadsheet has the company's deals, the same as in every twin. The part `google-sheets` of a seed is an object
//! with `spreadsheets`, which stand beside it.

use std::collections::BTreeMap;

use jiff::ToSpan;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    GoogleSheets,
    cells::Cell,
    formula,
    spreadsheets::{Sheet, Spreadsheet},
};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Mint, Scene, SeedFile, Stage},
};

const PART: &str = "google-sheets";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    spreadsheets: Vec<Value>,
}

/// A spreadsheet of a seed. Cells are what a person would type in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedSpreadsheet {
    title: String,
    owner: Option<String>,
    #[serde(default)]
    read_only: bool,
    sheets: Vec<SeedSheet>,
    #[serde(default)]
    names: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedSheet {
    title: String,
    #[serde(default)]
    rows: Vec<Vec<Value>>,
}

/// Makes the world of a seed.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<GoogleSheets, Error> {
    let part: Part = file.part(PART, include_str!("seed.json"))?;
    let mut world =
        GoogleSheets { account: scene.company.me.clone(), spreadsheets: vec![], mint: Mint::new(scene.number, PART) };
    let own = file.check(PART, pipeline(scene))?;
    let others: Vec<SeedSpreadsheet> = file.check_list(&format!("{PART}.spreadsheets"), part.spreadsheets)?;
    for (hours, seed) in (1_i64..).zip(std::iter::once(own).chain(others)) {
        let spreadsheet = world.planted(scene, seed, hours);
        if spreadsheet.sheets.is_empty() {
            return Err(file.error(PART, "has a spreadsheet without sheets"));
        }
        world.spreadsheets.push(spreadsheet);
    }
    Ok(world)
}

impl GoogleSheets {
    fn planted(&mut self, scene: &Scene, seed: SeedSpreadsheet, hours: i64) -> Spreadsheet {
        let mut spreadsheet = Spreadsheet {
            id: self.mint.id(44),
            title: seed.title,
            time_zone: scene.company.time_zone.clone(),
            owner: seed.owner.map_or_else(|| self.account.clone(), |owner| scene.address(&owner)),
            writable: !seed.read_only,
            changed: scene.now.saturating_sub(hours.hours()).unwrap_or(scene.now),
            sheets: (0..).zip(seed.sheets).map(|(id, sheet)| planted_sheet(id, &sheet)).collect(),
            names: seed.names,
        };
        formula::work_out(&mut spreadsheet);
        spreadsheet
    }
}

fn planted_sheet(id: i64, seed: &SeedSheet) -> Sheet {
    let mut sheet = Sheet::new(id, &seed.title);
    for (row, values) in seed.rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            sheet.put(row, column, Cell::typed(value));
        }
    }
    sheet
}

/// The company's deals as a sheet, and what they come to.
fn pipeline(scene: &Scene) -> Value {
    let deals =
        scene.company.customers.iter().flat_map(|customer| customer.deals.iter().map(move |deal| (customer, deal)));
    let row = |(customer, deal): (&crate::sandbox::world::Customer, &crate::sandbox::world::Deal)| {
        let stage = match deal.stage {
            Stage::Qualified => "Qualified",
            Stage::Proposal => "Proposal",
            Stage::Negotiation => "Negotiation",
            Stage::Won => "Won",
            Stage::Lost => "Lost",
        };
        let close = scene.working_day(deal.close).to_string();
        json!([deal.name, customer.name, stage, format!("€{}", deal.amount), close, scene.address(&deal.owner)])
    };
    let header = json!(["Deal", "Customer", "Stage", "Amount", "Close date", "Owner"]);
    let rows: Vec<_> = std::iter::once(header).chain(deals.map(row)).collect();
    let last = rows.len();
    json!({ "title": "Sales pipeline", "names": { "Amounts": format!("Deals!D2:D{last}") }, "sheets": [
        { "title": "Deals", "rows": rows },
        { "title": "Summary 2026", "rows": [["Figure", "Value"], ["Sum of all deals", format!("=SUM(Deals!D2:D{last})")]] },
    ] })
}

/// Sheets as a person sees them.
pub fn objects(world: &GoogleSheets) -> Vec<Object> {
    let sheets = world.spreadsheets.iter().flat_map(|one| one.sheets.iter().map(move |sheet| (one, sheet)));
    sheets
        .map(|(one, sheet)| {
            let row = |row: &Vec<Cell>| row.iter().map(Cell::formatted).collect::<Vec<_>>().join(", ");
            Object {
                kind: "sheet",
                id: format!("{}/{}", one.id, sheet.id),
                title: format!("{} / {}", one.title, sheet.title),
                facts: vec![("cells", sheet.rows.iter().map(row).collect::<Vec<_>>().join(" | "))],
            }
        })
        .collect()
}
