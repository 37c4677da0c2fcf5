use std::{collections::BTreeMap, io::Write as _};

use serde::Deserialize;

use super::{ConfigFaults, Loaded, Section, load};

const OFFERS: Section = Section {
    name: "offers",
    defaults: r#"
        name = "offers"
        quiet = true
        channels = ["email", "in_app"]
        ratio = 0.5

        [caps]
        per_week = 1
        days = [7, 30]

        [owner_limits]
        "*" = 0
        vip = 5

        [rates."*"]
        base = 100
        note = ""

        [[steps]]
        day = 0
        text = "hello"
        [[steps]]
        day = 7
        last = true
    "#,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offers {
    name: String,
    quiet: bool,
    channels: Vec<String>,
    ratio: f64,
    caps: Caps,
    owner_limits: BTreeMap<String, i64>,
    rates: BTreeMap<String, Rate>,
    steps: Vec<toml::Table>,
}

#[derive(Debug, Deserialize)]
struct Caps {
    per_week: u32,
    days: Vec<u32>,
}

#[derive(Debug, Deserialize)]
struct Rate {
    base: i64,
    note: String,
}

fn try_load(text: &str, env: &[(&str, &str)]) -> Result<Loaded, ConfigFaults> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    load(&[OFFERS], Some(file.path()), env)
}

fn offers(text: &str, env: &[(&str, &str)]) -> Offers {
    try_load(text, env).unwrap().section("offers").unwrap()
}

/// Faults as `path: message`, and the last part of the origin.
fn faults(text: &str, env: &[(&str, &str)]) -> Vec<(String, String)> {
    let ConfigFaults(list) = try_load(text, env).unwrap_err();
    let line = |origin: &str| origin.rsplit(':').next().unwrap_or_default().to_owned();
    list.into_iter()
        .map(|fault| (format!("{}: {}", fault.path, fault.message), line(&fault.origin)))
        .collect()
}

#[test]
fn the_defaults_stand_alone() {
    let loaded = load(&[OFFERS], None, std::iter::empty()).unwrap();
    let offers: Offers = loaded.section("offers").unwrap();
    assert_eq!(
        (offers.name.as_str(), offers.quiet, offers.ratio),
        ("offers", true, 0.5)
    );
    assert_eq!(offers.channels, ["email", "in_app"]);
    assert_eq!((offers.caps.per_week, offers.caps.days), (1, vec![7, 30]));
    assert_eq!(offers.owner_limits, BTreeMap::from([("vip".to_owned(), 5)]));
    assert!(offers.rates.is_empty());
    assert_eq!(offers.steps.len(), 2);
}

#[test]
fn the_file_wins_over_defaults_and_the_environment_over_both() {
    let offers = offers(
        r#"
        [offers]
        name = "file"
        ratio = 1
        [offers.caps]
        per_week = 2
        [offers.owner_limits]
        anna = 3
        [offers.rates.usd]
        base = 450
        [[offers.steps]]
        day = 1
        last = false
        "#,
        &[
            ("UPSWELL__OFFERS__NAME", "env"),
            ("UPSWELL__OFFERS__QUIET", "false"),
            ("UPSWELL__OFFERS__CAPS__DAYS", "1, 2,3"),
            ("UPSWELL__OFFERS__OWNER_LIMITS__BORIS", "9"),
            ("UPSWELL__OFFERS__RATES__EUR__NOTE", "x"),
            ("UPSWELL_CONFIG", "not a setting"),
            ("PATH", "/bin"),
        ],
    );
    assert_eq!((offers.name.as_str(), offers.quiet, offers.ratio), ("env", false, 1.0));
    assert_eq!((offers.caps.per_week, offers.caps.days), (2, vec![1, 2, 3]));
    let limits: Vec<_> = offers.owner_limits.into_iter().collect();
    let expected = [("anna", 3), ("boris", 9), ("vip", 5)];
    assert_eq!(limits, expected.map(|(k, v)| (k.to_owned(), v)));
    assert_eq!((offers.rates["usd"].base, offers.rates["eur"].base), (450, 100));
    assert_eq!(
        (offers.rates["usd"].note.as_str(), offers.rates["eur"].note.as_str()),
        ("", "x")
    );
    assert_eq!(offers.steps.len(), 1);
}

#[test]
fn all_faults_are_told_at_once_with_line_and_hint() {
    let found = faults(
        "[offers]\nname = 3\nchanels = []\n[offers.caps]\nper_wek = 2\ndays = [1, \"x\"]\n\
         [offers.owner_limits]\nanna = true\n[ofers]\nx = 1\n[offers.rates.usd]\nbas = 1\n\
         [[offers.steps]]\ndai = 1\n",
        &[
            ("UPSWELL__OFFERS__RATIO", "half"),
            ("UPSWELL__OFFERS__CAPS", "1"),
            ("UPSWELL__OFFERS__NAME__X", "1"),
            ("UPSWELL__OFFER__NAME", "1"),
        ],
    );
    let mut found: Vec<_> = found.iter().map(|(m, o)| (m.as_str(), o.as_str())).collect();
    found.sort_unstable();
    let mut expected = [
        ("ofers: unknown key, did you mean offers?", "9"),
        ("offer.name: unknown key, did you mean offers?", "UPSWELL__OFFER__NAME"),
        ("offers.caps.days: item 1 must be an integer, is a string", "6"),
        ("offers.caps.per_wek: unknown key, did you mean per_week?", "5"),
        ("offers.caps: is a table, name one of its keys", "UPSWELL__OFFERS__CAPS"),
        ("offers.chanels: unknown key, did you mean channels?", "3"),
        (
            "offers.name.x: is not a table, so it has no x",
            "UPSWELL__OFFERS__NAME__X",
        ),
        ("offers.name: must be a string, is an integer", "2"),
        ("offers.owner_limits.anna: must be an integer, is true or false", "8"),
        ("offers.rates.usd.bas: unknown key, did you mean base?", "12"),
        ("offers.ratio: must be a number", "UPSWELL__OFFERS__RATIO"),
        ("offers.steps: item 0 has the unknown key dai", "13"),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_file_which_is_missing_or_broken_is_a_fault() {
    let missing = load(&[OFFERS], Some("no/such/file.toml".as_ref()), std::iter::empty());
    assert!(missing.unwrap_err().to_string().contains("no/such/file.toml"));
    assert_eq!(faults("[offers\n", &[]).len(), 1);
}

#[test]
fn the_example_key_itself_is_not_a_key() {
    let found = faults("[offers.owner_limits]\n\"*\" = 1\n", &[]);
    assert_eq!(found.len(), 1);
}

#[test]
fn a_value_can_come_from_a_file_that_a_variable_names() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file\n").unwrap();
    let path = file.path().display().to_string();
    let variable = [("UPSWELL__OFFERS__NAME_FILE", path.as_str())];
    assert_eq!(offers("", &variable).name, "from a file");
    for (name, part) in [
        ("UPSWELL__OFFERS__NAMES_FILE", "unknown key"),
        ("UPSWELL__OFFERS__CAPS_FILE", "unknown key"),
        ("UPSWELL__OFFERS__RATIO_FILE", "must be a number"),
    ] {
        let told = faults("", &[(name, &path)]);
        assert!(told.iter().any(|(fault, _)| fault.contains(part)), "{name}: {told:?}");
    }
    let absent = faults("", &[("UPSWELL__OFFERS__NAME_FILE", "/absent")]);
    assert_eq!(absent.len(), 1);
}
