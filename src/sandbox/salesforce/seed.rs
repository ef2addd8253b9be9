//! The organisation at its beginning: the company's customers, and leads and tasks of its own.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Record, Salesforce,
    model::object,
    world::{Fields, moment},
};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Customer, Deal, Mint, Scene, SeedFile, Stage, Ticket},
};

/// The part of a seed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    leads: Vec<SeedLead>,
    tasks: Vec<SeedTask>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedLead {
    first_name: String,
    last_name: String,
    company: String,
    email: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedTask {
    subject: String,
    /// In working days from today.
    due: i64,
    /// The name of a deal.
    about: String,
    /// The address of a contact.
    with: String,
    owner: String,
}

/// Lays the world out.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<Salesforce, Error> {
    let seed: Seed = file.part("salesforce", include_str!("seed.json"))?;
    let mut planter = Planter {
        world: Salesforce {
            user: String::new(),
            time_zone: scene.company.time_zone.clone(),
            records: vec![],
            cases: 0,
            outbox: vec![],
            mint: Mint::new(scene.number, "salesforce"),
        },
        scene,
    };
    planter.house();
    for customer in &scene.company.customers {
        planter.customer(customer);
    }
    seed.leads.iter().for_each(|lead| planter.lead(lead));
    for (index, task) in seed.tasks.iter().enumerate() {
        planter.task(task).map_err(|why| file.error(&format!("salesforce.tasks[{index}]"), &why))?;
    }
    Ok(planter.world)
}

struct Planter<'a> {
    world: Salesforce,
    scene: &'a Scene,
}

impl Planter<'_> {
    fn put(&mut self, name: &str, fields: Value, at: Timestamp) -> String {
        let of = object(name).expect("the seed names objects of the model");
        let Value::Object(mut fields) = fields else { return String::new() };
        fields.retain(|_, value| value.as_str() != Some(""));
        for stamp in ["CreatedDate", "LastModifiedDate"] {
            fields.insert(stamp.into(), moment(at).into());
        }
        let id = self.world.new_id(of);
        self.world.plant(of, id.clone(), fields, at);
        id
    }

    /// Ten in the morning of a working day.
    fn morning(&self, days: i64) -> Timestamp {
        let local = self.scene.working_day(days).to_datetime(Time::constant(10, 0, 0, 0));
        let at = local.to_zoned(self.scene.zone.clone()).map_or(self.scene.now, |zoned| zoned.timestamp());
        // Nothing was made in the future, and the search finds everything that is there at the beginning.
        at.min(self.scene.now - SignedDuration::from_mins(10))
    }

    /// The organisation and its users.
    fn house(&mut self) {
        let at = self.morning(-200);
        let company = &self.scene.company;
        self.put(
            "Organization",
            json!({ "Name": company.name, "TimeZoneSidKey": company.time_zone, "IsSandbox": true }),
            at,
        );
        for person in &company.people {
            let id = self.put(
                "User",
                json!({
                    "Name": person.name, "Username": person.email, "Email": person.email, "Title": person.role,
                    "IsActive": true,
                }),
                at,
            );
            if person.email == company.me {
                self.world.user = id;
            }
        }
    }

    fn id_where(&self, object: &str, name: &str, value: &str) -> Option<String> {
        let found = self.world.all(object).find(|fields| fields.get(name).and_then(Value::as_str) == Some(value));
        found.and_then(|fields| fields["Id"].as_str()).map(str::to_owned)
    }

    fn owner(&self, address: &str) -> String {
        self.id_where("User", "Email", &self.scene.address(address)).unwrap_or_else(|| self.world.user.clone())
    }

    fn customer(&mut self, customer: &Customer) {
        let at = self.morning(-90);
        let account = self.put(
            "Account",
            json!({
                "Name": customer.name, "Type": "Customer", "Industry": customer.industry, "Phone": customer.phone,
                "Website": format!("https://{}", customer.domain), "BillingCity": customer.city,
                "BillingCountry": customer.country,
            }),
            at,
        );
        for contact in &customer.contacts {
            let (first, last) = contact.name.split_once(' ').unwrap_or(("", &contact.name));
            self.put(
                "Contact",
                json!({
                    "FirstName": first, "LastName": last, "AccountId": account, "Email": contact.email,
                    "Phone": contact.phone, "Title": contact.title,
                }),
                at,
            );
        }
        customer.deals.iter().for_each(|deal| self.deal(&account, deal));
        customer.tickets.iter().for_each(|ticket| self.ticket(&account, ticket));
    }

    fn deal(&mut self, account: &str, deal: &Deal) {
        let stage = match deal.stage {
            Stage::Qualified => "Qualification",
            Stage::Proposal => "Proposal/Price Quote",
            Stage::Negotiation => "Negotiation/Review",
            Stage::Won => "Closed Won",
            Stage::Lost => "Closed Lost",
        };
        let fields = json!({
            "Name": deal.name, "AccountId": account, "StageName": stage, "Amount": f64::from(deal.amount),
            "CloseDate": self.scene.working_day(deal.close).to_string(), "NextStep": deal.next_step,
            "OwnerId": self.owner(&deal.owner),
        });
        self.put("Opportunity", fields, self.morning(-30));
    }

    fn ticket(&mut self, account: &str, ticket: &Ticket) {
        let priority = match ticket.priority.as_str() {
            "urgent" | "high" => "High",
            "low" => "Low",
            _ => "Medium",
        };
        let status = match ticket.status.as_str() {
            "open" | "pending" => "Working",
            "solved" => "Closed",
            _ => "New",
        };
        let fields = json!({
            "Subject": ticket.subject, "Description": ticket.text, "AccountId": account,
            "ContactId": self.id_where("Contact", "Email", &ticket.from), "Priority": priority, "Status": status,
            "Origin": "Email", "OwnerId": self.owner(&ticket.owner),
        });
        self.put("Case", fields, self.morning(ticket.opened));
    }

    fn lead(&mut self, lead: &SeedLead) {
        let fields = json!({
            "FirstName": lead.first_name, "LastName": lead.last_name, "Company": lead.company, "Email": lead.email,
            "Phone": lead.phone, "Title": lead.title, "LeadSource": lead.source, "Description": lead.description,
        });
        self.put("Lead", fields, self.morning(-3));
    }

    fn task(&mut self, task: &SeedTask) -> Result<(), String> {
        let what = self.id_where("Opportunity", "Name", &task.about);
        let who = self.id_where("Contact", "Email", &task.with);
        let (Some(what), Some(who)) = (what, who) else {
            // A company of one's own has deals of its own.
            return Ok(());
        };
        let due = self.scene.working_day(0).checked_add(task.due.days()).map_err(|error| error.to_string())?;
        let fields = json!({
            "Subject": task.subject, "WhatId": what, "WhoId": who, "ActivityDate": due.to_string(),
            "OwnerId": self.owner(&task.owner),
        });
        self.put("Task", fields, self.morning(-1));
        Ok(())
    }
}

/// Records as a person sees them.
pub fn objects(world: &Salesforce) -> Vec<Object> {
    let kinds = [
        ("Account", "account"),
        ("Contact", "contact"),
        ("Lead", "lead"),
        ("Opportunity", "opportunity"),
        ("Case", "case"),
        ("Task", "task"),
    ];
    let of = |(object, kind): (&str, &'static str)| {
        let records = world.records.iter().filter(move |record| record.object == object).cloned();
        records.map(move |record| shown(kind, &record)).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(of).collect()
}

fn shown(kind: &'static str, record: &Record) -> Object {
    let text = |fields: &Fields, name: &str| match fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let fields = &record.fields;
    let title = ["Name", "Subject"].into_iter().map(|name| text(fields, name)).find(|title| !title.is_empty());
    let facts = [
        ("stage", "StageName"),
        ("status", "Status"),
        ("priority", "Priority"),
        ("amount", "Amount"),
        ("close", "CloseDate"),
        ("next step", "NextStep"),
        ("due", "ActivityDate"),
        ("email", "Email"),
        ("phone", "Phone"),
        ("job", "Title"),
        ("company", "Company"),
        ("account", "AccountId"),
        ("contact", "ContactId"),
        ("with", "WhoId"),
        ("about", "WhatId"),
        ("text", "Description"),
        ("comments", "Comments"),
        ("industry", "Industry"),
        ("region", "Region__c"),
        ("interests", "Interests__c"),
        ("owner", "OwnerId"),
    ];
    Object {
        kind,
        id: text(fields, "Id"),
        title: title.unwrap_or_default(),
        facts: facts.map(|(fact, name)| (fact, text(fields, name))).into(),
    }
}
