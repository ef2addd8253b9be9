//! The account at its beginning: the company's customers, and notes of its own.

use jiff::{SignedDuration, Timestamp, civil::Time};
use serde::Deserialize;
use serde_json::json;

use super::{HubSpot, Owner, Record, model::kind, world::Properties};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Customer, Deal, Mint, Scene, SeedFile, Stage, Ticket},
};

/// The part of a seed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    notes: Vec<SeedNote>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedNote {
    text: String,
    /// The address of a contact.
    with: String,
    /// In working days from today.
    days: i64,
}

/// Lays the world out.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<HubSpot, Error> {
    let seed: Seed = file.part("hubspot", include_str!("seed.json"))?;
    let people = scene.company.people.iter().zip(501..);
    let owners =
        people.map(|(person, id)| Owner { id: id.to_string(), name: person.name.clone(), email: person.email.clone() });
    let world =
        HubSpot { records: vec![], owners: owners.collect(), outbox: vec![], mint: Mint::new(scene.number, "hubspot") };
    let mut planter = Planter { world, scene };
    scene.company.customers.iter().for_each(|customer| planter.customer(customer));
    seed.notes.iter().for_each(|note| planter.note(note));
    Ok(planter.world)
}

struct Planter<'a> {
    world: HubSpot,
    scene: &'a Scene,
}

impl Planter<'_> {
    fn put(&mut self, name: &str, properties: &[(&str, String)], links: &[(&str, &str)], days: i64) -> String {
        let of = kind(name).expect("the seed names kinds of the model");
        let properties: Properties =
            properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let links = links.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned())).collect();
        let at = self.morning(days);
        self.world.make(of, properties, links, at)
    }

    /// Ten in the morning of a working day, long enough ago to be found.
    fn morning(&self, days: i64) -> Timestamp {
        let local = self.scene.working_day(days).to_datetime(Time::constant(10, 0, 0, 0));
        let at = local.to_zoned(self.scene.zone.clone()).map_or(self.scene.now, |zoned| zoned.timestamp());
        at.min(self.scene.now - SignedDuration::from_mins(10))
    }

    fn owner(&self, address: &str) -> String {
        let address = self.scene.address(address);
        let owner = self.world.owners.iter().find(|owner| owner.email == address).or(self.world.owners.first());
        owner.map(|owner| owner.id.clone()).unwrap_or_default()
    }

    fn contact(&self, email: &str) -> Option<String> {
        let place = self.world.place("contacts", email, Some("email"))?;
        Some(self.world.records[place].id.clone())
    }

    fn customer(&mut self, customer: &Customer) {
        let owner = self.owner("{1}");
        let company = self.put(
            "companies",
            &[
                ("name", customer.name.clone()),
                ("domain", customer.domain.clone()),
                ("industry", customer.industry.clone()),
                ("phone", customer.phone.clone()),
                ("city", customer.city.clone()),
                ("country", customer.country.clone()),
                ("hubspot_owner_id", owner.clone()),
            ],
            &[],
            -90,
        );
        for contact in &customer.contacts {
            let (first, last) = contact.name.split_once(' ').unwrap_or(("", &contact.name));
            self.put(
                "contacts",
                &[
                    ("firstname", first.to_owned()),
                    ("lastname", last.to_owned()),
                    ("email", contact.email.clone()),
                    ("phone", contact.phone.clone()),
                    ("jobtitle", contact.title.clone()),
                    ("company", customer.name.clone()),
                    ("lifecyclestage", "customer".to_owned()),
                    ("hubspot_owner_id", owner.clone()),
                ],
                &[("companies", company.as_str())],
                -90,
            );
        }
        let first = customer.contacts.first().and_then(|contact| self.contact(&contact.email)).unwrap_or_default();
        customer.deals.iter().for_each(|deal| self.deal(&company, &first, deal));
        customer.tickets.iter().for_each(|ticket| self.ticket(&company, ticket));
    }

    fn deal(&mut self, company: &str, contact: &str, deal: &Deal) {
        let stage = match deal.stage {
            Stage::Qualified => "qualifiedtobuy",
            Stage::Proposal => "presentationscheduled",
            Stage::Negotiation => "contractsent",
            Stage::Won => "closedwon",
            Stage::Lost => "closedlost",
        };
        let close = format!("{}T12:00:00.000Z", self.scene.working_day(deal.close));
        let properties = [
            ("dealname", deal.name.clone()),
            ("amount", deal.amount.to_string()),
            ("pipeline", "default".to_owned()),
            ("dealstage", stage.to_owned()),
            ("closedate", close),
            ("hs_next_step", deal.next_step.clone()),
            ("hubspot_owner_id", self.owner(&deal.owner)),
        ];
        self.put("deals", &properties, &[("companies", company), ("contacts", contact)], -30);
    }

    fn ticket(&mut self, company: &str, ticket: &Ticket) {
        let priority = match ticket.priority.as_str() {
            "urgent" | "high" => "HIGH",
            "low" => "LOW",
            _ => "MEDIUM",
        };
        let stage = match ticket.status.as_str() {
            "new" => "1",
            "pending" => "2",
            "solved" => "4",
            _ => "3",
        };
        let contact = self.contact(&ticket.from).unwrap_or_default();
        let properties = [
            ("subject", ticket.subject.clone()),
            ("content", ticket.text.clone()),
            ("hs_pipeline", "0".to_owned()),
            ("hs_pipeline_stage", stage.to_owned()),
            ("hs_ticket_priority", priority.to_owned()),
            ("hubspot_owner_id", self.owner(&ticket.owner)),
        ];
        self.put("tickets", &properties, &[("companies", company), ("contacts", contact.as_str())], ticket.opened);
    }

    fn note(&mut self, note: &SeedNote) {
        // A company of one's own has contacts of its own.
        let Some(contact) = self.contact(&note.with) else { return };
        let at = super::world::written(self.morning(note.days));
        let properties = [("hs_note_body", note.text.clone()), ("hs_timestamp", at)];
        self.put("notes", &properties, &[("contacts", contact.as_str())], note.days);
    }
}

/// Records as a person sees them.
pub fn objects(world: &HubSpot) -> Vec<Object> {
    world.records.iter().filter_map(shown).collect()
}

fn shown(record: &Record) -> Option<Object> {
    let of = kind(&record.kind)?;
    let text = |name: &str| record.properties.get(name).cloned().unwrap_or_default();
    let title = match of.name {
        "contacts" => format!("{} {}", text("firstname"), text("lastname")),
        "companies" => text("name"),
        "deals" => text("dealname"),
        "tickets" => text("subject"),
        "calls" => text("hs_call_title"),
        _ => text("hs_note_body"),
    };
    let own = of.properties.iter().filter(|property| !property.is_calculated);
    let facts = own.map(|property| (property.name, text(property.name)));
    let links = json!(record.links).to_string();
    Some(Object {
        kind: of.noun,
        id: record.id.clone(),
        title: title.trim().to_owned(),
        facts: facts.chain([("belongs to", links)]).collect(),
    })
}
