//! Companies.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    READ_COMPANIES, given,
    records::{COMPANY, Wish},
    wrong,
};
use crate::tool::{Call, Effect, Error, Kind, Readable, Record, Result, Scopes, Tool};

/// Shows a company by its web domain or id. Give one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetCompany {
    /// Such as `example.com`.
    domain: Option<String>,
    /// Such as `151`.
    company_id: Option<String>,
}

impl Tool for GetCompany {
    const NAME: &'static str = "hubspot_get_company";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] = &[Readable::record("hubspot://company/{company_id}", "Company")];
    const SCOPES: Scopes = READ_COMPANIES;
    type Output = Record;

    async fn call(self, cx: &Call) -> Result<Record> {
        let company = match (given(self.domain.as_deref()), given(self.company_id.as_deref())) {
            (None, Some(id)) => COMPANY.read(cx, id, None, &[]).await?,
            (Some(domain), None) => {
                let domain = bare(domain);
                let filter = json!({ "propertyName": "domain", "operator": "EQ", "value": domain });
                let wish = Wish { filters: vec![filter], limit: 5, ..Wish::default() };
                let mut found = COMPANY.find(cx, &wish).await?.results;
                if found.len() > 1 {
                    let lines = COMPANY.shown(cx, &found).await?;
                    let lines = lines.iter().map(Record::line).collect::<Vec<_>>().join("; ");
                    return Err(Error::new(Kind::Ambiguous, format!("Several companies have `{domain}`: {lines}."))
                        .next("Say which one by its id, as `company_id`."));
                }
                found.pop().ok_or_else(|| Error::not_found(format!("company with the domain `{domain}`")))?
            }
            _ => return Err(wrong("give either `domain` or `company_id`")),
        };
        Ok(COMPANY.shown(cx, &[company]).await?.remove(0))
    }
}

/// The domain alone: people write addresses and pages.
fn bare(text: &str) -> String {
    let text = text.rsplit('@').next().unwrap_or(text);
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split('/').next().unwrap_or(text).to_lowercase();
    text.strip_prefix("www.").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_taken_out_of_what_people_write() {
        for text in ["contoso.example", "https://www.contoso.example/about", "ana@Contoso.example"] {
            assert_eq!(bare(text), "contoso.example");
        }
    }
}
