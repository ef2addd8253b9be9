//! Search, SOQL, single records, descriptions, lists of opportunities.

use serde_json::{Value, json};
use switchboard::{http::Request, path, tool::Kind};

use super::{id_of, open};

#[tokio::test]
async fn words_are_found_in_every_kind_of_record() {
    let mut desk = open().await;
    let found = desk.ok("search_records", json!({ "query": "contoso*" })).await;
    assert!(found.text.contains("Account ⟦Contoso Foods⟧"), "{}", found.text);
    assert!(found.text.contains("Opportunity ⟦Contoso: six picking cells⟧"), "{}", found.text);
    let cases = desk.ok("search_records", json!({ "query": "gripper", "objects": ["case"] })).await;
    assert!(cases.text.contains("Case ⟦Gripper drops wet cartons⟧ [id 500"), "{}", cases.text);
    assert_eq!(cases.data["records"].as_array().unwrap().len(), 1);
    assert_eq!(desk.ok("search_records", json!({ "query": "zeppelin" })).await.text, "Nothing found.");
    // The index lags behind.
    desk.ok("create_case", json!({ "subject": "Zeppelin arrived" })).await;
    assert_eq!(desk.ok("search_records", json!({ "query": "zeppelin" })).await.text, "Nothing found.");
    desk.wait(1).await;
    assert!(desk.ok("search_records", json!({ "query": "zeppelin" })).await.text.contains("Zeppelin arrived"));
}

#[tokio::test]
async fn a_search_goes_on_where_it_was() {
    let desk = open().await;
    let arguments = json!({ "query": "contoso*", "limit": 2 });
    let first = desk.ok("search_records", arguments).await;
    let next = json!({ "query": "contoso*", "limit": 50, "cursor": first.data["next_cursor"] });
    let rest = desk.ok("search_records", next).await;
    let ids =
        |page: &Value| page["records"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first.data).len(), 2);
    assert!(ids(&rest.data).iter().all(|id| !ids(&first.data).contains(id)), "{}", rest.text);
    assert!(rest.data["next_cursor"].is_null());
}

#[tokio::test]
async fn a_search_without_sense_is_refused() {
    let desk = open().await;
    for query in ["", "a", " ?! "] {
        let error = desk.refused("search_records", json!({ "query": query })).await;
        assert!(error.to_string().contains("two letters or digits"), "{error}");
    }
    let error = desk.refused("search_records", json!({ "query": "ana", "objects": ["Contakt"] })).await;
    assert!(error.to_string().contains("Did you mean ⟦Contact⟧ [Contact]"), "{error}");
}

#[tokio::test]
async fn soql_answers_what_no_tool_does() {
    let desk = open().await;
    let soql = "SELECT Name, Account.Industry, Owner.Name, (SELECT Subject FROM Tasks) FROM Opportunity \
                WHERE Account.Name LIKE 'Cont%' AND IsClosed = false AND CloseDate = NEXT_N_DAYS:30;";
    let found = desk.ok("run_soql", json!({ "soql": soql })).await;
    assert!(found.text.contains("Account industry: ⟦Food & Beverage⟧; Owner: ⟦Ana Ruiz⟧"), "{}", found.text);
    assert!(found.text.contains("Tasks: ⟦Send the revised offer⟧"), "{}", found.text);
    let count = desk.ok("run_soql", json!({ "soql": "SELECT COUNT() FROM Contact" })).await;
    assert!(count.text.contains("Count: 6."), "{}", count.text);
    let sums = "SELECT StageName, COUNT(Id) deals, SUM(Amount) FROM Opportunity GROUP BY StageName";
    let sums = desk.ok("run_soql", json!({ "soql": sums })).await;
    assert!(sums.text.contains("Stage: ⟦Closed Won⟧") && sums.text.contains("deals: 1"), "{}", sums.text);
}

#[tokio::test]
async fn soql_only_looks() {
    let desk = open().await;
    for soql in ["DELETE FROM Account", "SELECT Id FROM Account FOR UPDATE", "FIND {x}"] {
        assert_eq!(desk.refused("run_soql", json!({ "soql": soql })).await.kind(), Kind::Arguments, "{soql}");
    }
    assert_eq!(desk.count("query"), 0);
}

#[tokio::test]
async fn salesforces_reasons_lead_on() {
    let desk = open().await;
    for (soql, kind, next) in [
        ("SELECT Nmae FROM Account", Kind::Arguments, "salesforce_describe_object"),
        ("SELECT Id FROM Acount", Kind::Arguments, "API name"),
        ("SELECT Id FROM Account WHERE", Kind::Arguments, "Mend the query"),
        ("SELECT Id FROM Account WHERE Name = 7", Kind::Arguments, "enclosed in quotes"),
        ("SELECT Id FROM Opportunity WHERE Amount > '7'", Kind::Arguments, "should not be enclosed in quotes"),
    ] {
        let error = desk.refused("run_soql", json!({ "soql": soql })).await;
        assert!(error.kind() == kind && error.to_string().contains(next), "{soql}: {error}");
    }
}

#[tokio::test]
async fn a_long_list_is_read_to_its_end_over_salesforces_own_pages() {
    let desk = open().await;
    for number in 0..210 {
        let contact = json!({ "LastName": format!("Row {number:03}") });
        desk.send(Request::post(path!["sobjects", "Contact"]).json(&contact)).await;
    }
    let soql = "SELECT Id, Name FROM Contact WHERE Name LIKE 'Row%' ORDER BY Name";
    let (mut names, mut cursor) = (vec![], Value::Null);
    loop {
        let mut arguments = json!({ "soql": soql, "limit": 90 });
        if cursor.is_string() {
            arguments["cursor"] = cursor;
        }
        let page = desk.ok("run_soql", arguments).await;
        assert_eq!(page.data["total"], 210);
        let records = page.data["records"].as_array().unwrap();
        names.extend(records.iter().map(|record| record["title"].as_str().unwrap().to_owned()));
        cursor = page.data["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(names.len(), 210);
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "no row twice, none left out");
    assert!(desk.count("queryMore") > 0);
}

#[tokio::test]
async fn a_cursor_of_another_query_is_refused() {
    let desk = open().await;
    let soql = |object: &str| format!("SELECT Id FROM {object}");
    let first = desk.ok("run_soql", json!({ "soql": soql("Contact"), "limit": 2 })).await;
    let other = json!({ "soql": soql("Account"), "cursor": first.data["next_cursor"] });
    let error = desk.refused("run_soql", other).await;
    assert!(error.to_string().contains("belongs to another list"), "{error}");
}

#[tokio::test]
async fn one_record_is_shown_with_the_labels_of_the_organisation() {
    let desk = open().await;
    let id = id_of(&desk, "Opportunity", "Fabrikam: sorting line Rotterdam").await;
    let all = desk.ok("get_record", json!({ "object": "opportunity", "id": id })).await;
    assert!(all.text.contains("\nClose Date: 2027-01-04\n"), "{}", all.text);
    assert!(all.text.contains("\nAmount: 1250000\n"), "{}", all.text);
    assert!(!all.text.contains("Description") && !all.text.contains("attributes"), "{}", all.text);
    let some = json!({ "object": "Opportunity", "id": &id[..15], "fields": ["next step", "StageName"] });
    let some = desk.ok("get_record", some).await;
    assert!(
        some.text.ends_with("\nNext Step: ⟦Site visit with engineering⟧\nStage: ⟦Proposal/Price Quote⟧"),
        "{}",
        some.text
    );
}

#[tokio::test]
async fn a_record_that_is_not_there_is_told_apart() {
    let desk = open().await;
    let error = desk.refused("get_record", json!({ "object": "Contact", "id": "003000000000000AAA" })).await;
    assert!(error.kind() == Kind::NotFound && error.to_string().contains("salesforce_search_records"), "{error}");
    let error = desk.refused("get_record", json!({ "object": "Contact", "id": "Ana" })).await;
    assert_eq!(error.kind(), Kind::Arguments);
    let error = desk.refused("get_record", json!({ "object": "Gadget", "id": "003000000000000AAA" })).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    let field = json!({ "object": "Contact", "id": "003000000000000AAA", "fields": ["Emial"] });
    let error = desk.refused("get_record", field).await;
    assert!(error.to_string().contains("Did you mean ⟦Email⟧"), "{error}");
}

#[tokio::test]
async fn an_object_tells_its_fields() {
    let desk = open().await;
    let stage = desk.ok("describe_object", json!({ "object": "Opportunities", "query": "stage" })).await;
    assert_eq!(
        stage.text,
        "Opportunity (Opportunity):\nStageName (Stage): choice, required: Prospecting | Qualification | Needs Analysis \
         | Proposal/Price Quote | Negotiation/Review | Closed Won | Closed Lost"
    );
    let first = desk.ok("describe_object", json!({ "object": "Contact", "limit": 3 })).await;
    assert!(first.text.contains("Id (Contact ID): text, read-only"), "{}", first.text);
    assert!(first.text.contains("LastName (Last Name): text, required"), "{}", first.text);
    let rest = json!({ "object": "Contact", "limit": 200, "cursor": first.data["next_cursor"] });
    let rest = desk.ok("describe_object", rest).await;
    assert!(rest.text.contains("AccountId (Account ID): id of Account"), "{}", rest.text);
    assert_eq!(desk.count("describe"), 3, "Opportunities is no name, Contact is looked up once");
    let error = desk.refused("describe_object", json!({ "object": "Opportunitty" })).await;
    assert!(error.to_string().contains("Did you mean ⟦Opportunity⟧"), "{error}");
}

#[tokio::test]
async fn open_opportunities_are_listed_by_customer_owner_and_stage() {
    let desk = open().await;
    let titles = |data: &Value| {
        let records = data["records"].as_array().unwrap().iter();
        records
            .map(|record| record["title"].as_str().unwrap().split(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for (arguments, expected) in [
        (json!({}), vec!["Contoso", "Fabrikam", "Tailspin"]),
        (json!({ "account_id": "contoso foods" }), vec!["Contoso"]),
        (json!({ "owner_id": "me" }), vec!["Tailspin"]),
        (json!({ "owner_id": "ana.ruiz@northwind.example" }), vec!["Contoso", "Fabrikam"]),
        (json!({ "owner_id": "Ana Ruiz", "stage": "proposal/price quote" }), vec!["Fabrikam"]),
        (json!({ "stage": "Closed Lost" }), vec!["Woodgrove"]),
    ] {
        let found = desk.ok("list_opportunities", arguments.clone()).await;
        assert_eq!(titles(&found.data), expected, "{arguments}");
    }
    let first = desk.ok("list_opportunities", json!({ "limit": 1 })).await;
    let second = desk.ok("list_opportunities", json!({ "limit": 1, "cursor": first.data["next_cursor"] })).await;
    assert_eq!((titles(&first.data), titles(&second.data)), (vec!["Contoso".into()], vec!["Fabrikam".into()]));
    let error = desk.refused("list_opportunities", json!({ "stage": "Won" })).await;
    assert!(error.to_string().contains("one of Prospecting, Qualification"), "{error}");
    let error = desk.refused("list_opportunities", json!({ "owner_id": "Anna Ruis" })).await;
    assert!(error.to_string().contains("There is no user `Anna Ruis`"), "{error}");
}
