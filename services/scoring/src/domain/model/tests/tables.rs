//! Tables of other people.

use std::fmt::Write as _;

use super::rows;
use crate::domain::model::{
    chance::Chance,
    metrics,
    table::{LabelFault, Roles, Table, TableFault, Taught, guess_group, guess_id, learn},
    train::Options,
};

fn table(text: &str) -> Table {
    let mut lines = text
        .lines()
        .map(|line| line.split(';').map(str::to_owned).collect::<Vec<_>>());
    let header: Vec<String> = lines.next().unwrap();
    let rows: Vec<Vec<String>> = lines.collect();
    let columns = (0..header.len())
        .map(|index| rows.iter().map(|row| row[index].clone()).collect())
        .collect();
    Table { header, columns }
}

fn roles(label: &str) -> Roles {
    Roles {
        label: label.to_owned(),
        ..Roles::default()
    }
}

const MIXED: &str = "\
row_id;plan;seats;since;vip;note;empty;big;churned
A1_m1;basic;1,200;2026-01-31;yes;first words;;1e12;Yes
A1_m2;pro;;2026-02-28;no;other words;;-3;No
A2_m1;basic;oops;;yes;more words;;0;no
A2_m2;team;7;2026/03/01;;last words;;5%;YES
A3_m1;pro;8;2026-03-02T10:00:00Z;no;no words;;inf;
A3_m2;pro;9;2026-03-02;no;new words;;1;no";

#[test]
fn sc5_a_table_of_words_days_and_gaps_is_read() {
    let table = table(MIXED);
    let roles = Roles {
        id: guess_id(&table),
        ..roles("churned")
    };
    assert_eq!(roles.id.as_deref(), Some("row_id"));
    let (reading, dataset, unlabelled) = learn(&table, roles, None).unwrap();
    assert_eq!((dataset.len(), dataset.positives(), unlabelled), (5, 2, 1));
    assert_eq!(dataset.groups, [0, 0, 1, 1, 2], "A3_m1 has no label, A3_m2 has");
    let names: Vec<&str> = dataset.frame.names().iter().map(String::as_str).collect();
    assert_eq!(names[..3], ["plan=basic", "plan=pro", "plan=team"]);
    assert!(
        names.contains(&"since") && names.contains(&"vip") && names.contains(&"big"),
        "{names:?}"
    );
    let left: Vec<&str> = reading.left_out.iter().map(|(name, _)| name.as_str()).collect();
    assert!(left.contains(&"empty"), "{left:?}");
    let column = |name: &str| {
        dataset
            .frame
            .column(names.iter().position(|known| *known == name).unwrap())
    };
    assert_eq!(column("plan=basic"), [1.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(column("since")[1] - column("since")[0], 28.0);
    assert!(column("since")[2].is_nan() && column("vip")[3].is_nan());
    assert_eq!(column("big")[0], 1e12);
}

#[test]
fn sc5_a_later_table_is_read_the_same_way() {
    let (reading, ..) = learn(&table(MIXED), roles("churned"), None).unwrap();
    let later = table("extra;vip;plan;since;seats;big;row_id;note\nx;yes;unheard;2026-01-01;3;1;Z;first words");
    let frame = reading.frame(&later).unwrap();
    assert_eq!(frame.rows(), 1);
    assert_eq!(frame.column(0), [0.0], "an unknown level is none of the known ones");
    assert_eq!(reading.unknown(&later), ["extra"]);
    let narrow = table("vip;plan\nyes;pro");
    let TableFault::Missing(missing) = reading.frame(&narrow).unwrap_err() else {
        unreachable!("columns are missing")
    };
    for name in ["seats", "since", "big"] {
        assert!(
            missing.iter().any(|known| known == name),
            "{name} is told with all the others: {missing:?}"
        );
    }
}

#[test]
fn sc5_labels_in_words_are_understood_or_asked_about() {
    for (yes, no) in [
        ("1", "0"),
        ("1.0", "0.0"),
        ("TRUE", "false"),
        ("y", "n"),
        ("churned", "active"),
    ] {
        let text = format!("x;y\n1;{yes}\n2;{no}\n3;{yes}");
        let (_, dataset, _) = learn(&table(&text), roles("y"), None).unwrap();
        assert_eq!(dataset.labels, [true, false, true], "{yes}");
    }
    let odd = table("x;y\n1;gone\n2;here");
    assert!(matches!(learn(&odd, roles("y"), None), Err(TableFault::Label(_))));
    let (_, dataset, _) = learn(&odd, roles("y"), Some("gone")).unwrap();
    assert_eq!(dataset.labels, [true, false]);
    // A misspelt word must not make every row a no.
    assert!(matches!(
        learn(&odd, roles("y"), Some("went")),
        Err(TableFault::Label(LabelFault::Absent { .. }))
    ));
    assert_eq!(
        learn(&odd, roles("z"), None).unwrap_err(),
        TableFault::Missing(vec!["z".to_owned()])
    );
    assert_eq!(
        learn(&table("x;y\n1;\n2;"), roles("y"), None).unwrap_err(),
        TableFault::Empty
    );
}

#[test]
fn sc5_a_word_with_many_levels_is_told_by_how_common_it_is() {
    let mut text = String::from("city;y\n");
    for row in 0..200 {
        text += &format!("city{};{}\n", row % 40, row % 2);
    }
    let (_, dataset, _) = learn(&table(&text), roles("y"), None).unwrap();
    assert_eq!(dataset.frame.width(), 25, "24 levels and the share");
    assert_eq!(dataset.frame.names()[24], "city (share)");
    assert!((dataset.frame.column(24)[0] - 0.025).abs() < 1e-12);
}

#[test]
fn sc5_numbers_are_read_as_they_are_written_in_their_country() {
    for (cells, numbers) in [
        (["1,5", "0,125", "-12,75"], [1.5, 0.125, -12.75]),
        (["1.250,75", "3", "12,5"], [1250.75, 3.0, 12.5]),
        (["1,250", "12", "1,250,000.5"], [1250.0, 12.0, 1_250_000.5]),
        (["5%", "1e3", "-0.5"], [5.0, 1000.0, -0.5]),
    ] {
        let text = format!("x;y\n{};1\n{};0\n{};1", cells[0], cells[1], cells[2]);
        let (_, dataset, _) = learn(&table(&text), roles("y"), None).unwrap();
        assert_eq!(dataset.frame.names(), ["x"], "{cells:?}");
        assert_eq!(dataset.frame.column(0), numbers, "{cells:?}");
    }
}

#[test]
fn sc5_the_account_of_a_row_is_found_where_no_id_says_it() {
    let mut text = String::from("Customer_ID;plan_id;y\n");
    for row in 0..100 {
        writeln!(text, "{};{};{}", row / 4, row % 30, row % 2).unwrap();
    }
    let table = table(&text);
    assert_eq!(guess_id(&table), None, "no column tells rows apart");
    assert_eq!(
        guess_group(&table).as_deref(),
        Some("Customer_ID"),
        "a plan is no account"
    );
}

/// Months of accounts whose price rises now and then; what happens hangs on how long ago it rose.
fn months(accounts: u64, seed: u64, price_of: impl Fn(usize, i32) -> i32) -> Table {
    let mut chance = Chance::new(seed);
    let mut text = String::from("row_id;price;noise;y\n");
    for account in 0..accounts {
        let (mut price, mut since) = (10, 99);
        for month in 1..=12 {
            since += 1;
            if chance.below(8) == 0 {
                (price, since) = (price + 5, 0);
            }
            let happened = chance.below(100) < if since <= 2 { 60 } else { 5 };
            let told = price_of(month, price);
            let noise = chance.below(1000);
            writeln!(text, "A{account}_m{month};{told};{noise};{}", u8::from(happened)).unwrap();
        }
    }
    table(&text)
}

fn read(
    table: &Table,
) -> (
    crate::domain::model::table::Reading,
    crate::domain::model::frame::Dataset,
) {
    let roles = Roles {
        id: guess_id(table),
        ..roles("y")
    };
    let (reading, dataset, _) = learn(table, roles, None).unwrap();
    (reading, dataset)
}

#[test]
fn sc5_the_past_of_a_row_reads_earlier_rows_of_its_account_only() {
    let before = months(60, 3, |_, price| price);
    let (reading, _) = read(&before);
    let past = reading.past.clone().unwrap();
    assert_eq!(past.features, ["price"], "noise moves at every step and is not told");
    let features = |table: &Table| reading.past_frame(table, &reading.frame(table).unwrap()).unwrap();
    let frame = features(&before);
    assert_eq!(
        frame.names()[2..],
        ["price (rows since it rose)", "price (rows since it fell)"]
    );
    let prices = frame.column(0);
    for row in 0..frame.rows() {
        let first = row - row % 12;
        let rose = (first + 1..=row).rev().find(|at| prices[*at] > prices[*at - 1]);
        let expected = rose.map_or(f64::NAN, |at| (row - at) as f64);
        let told = frame.column(2)[row];
        assert!(
            told == expected || told.is_nan() && expected.is_nan(),
            "row {row}: {told}"
        );
    }
    // Whatever comes after month 6 changes nothing up to it, nor does the order of the rows.
    let after = months(60, 3, |month, price| if month > 6 { 1000 - price } else { price });
    let changed = features(&after);
    for row in (0..frame.rows()).filter(|row| row % 12 < 6) {
        assert_eq!(format!("{:?}", frame.row(row)), format!("{:?}", changed.row(row)));
    }
    let turned: Vec<usize> = (0..before.rows()).rev().collect();
    let mixed = features(&picked(&before, &turned));
    for (at, row) in turned.into_iter().enumerate() {
        assert_eq!(format!("{:?}", frame.row(row)), format!("{:?}", mixed.row(at)));
    }
}

fn picked(table: &Table, rows: &[usize]) -> Table {
    let pick = |column: &Vec<String>| rows.iter().map(|row| column[*row].clone()).collect();
    Table {
        header: table.header.clone(),
        columns: table.columns.iter().map(pick).collect(),
    }
}

#[test]
fn sc5_a_table_without_its_past_is_answered_from_rows_alone() {
    let train = months(150, 5, |_, price| price);
    let (mut reading, dataset) = read(&train);
    let taught = Taught::of(&train, &mut reading, &dataset, &Options::default(), &mut |_| true).unwrap();
    assert!(
        reading.past.is_some() && taught.alone.is_some(),
        "the past tells most of it"
    );
    let later = months(150, 6, |_, price| price);
    let labels = read(&later).1.labels;
    let loss = |table: &Table, rows: &[usize]| {
        let asked = taught.asked(&reading, table).unwrap();
        let labels: Vec<bool> = rows.iter().map(|row| labels[*row]).collect();
        (
            asked.is_without_past,
            metrics::log_loss(&labels, &asked.model.probabilities(&asked.frame)),
        )
    };
    let all: Vec<usize> = (0..later.rows()).collect();
    let (is_without, with_past) = loss(&later, &all);
    assert!(!is_without && with_past < 0.40, "{with_past}");
    let last: Vec<usize> = all.into_iter().filter(|row| row % 12 == 11).collect();
    let (is_without, without) = loss(&picked(&later, &last), &last);
    assert!(
        is_without && without < 0.60,
        "what is missing is not taken for what never was: {without}"
    );
}

#[test]
fn sc5_rows_that_stand_alone_have_no_past() {
    let mut text = String::from("row_id;a;b;y\n");
    let dataset = rows(400, 2);
    for (row, label) in dataset.labels.iter().enumerate() {
        let values = dataset.frame.row(row);
        writeln!(text, "r{row};{};{};{}", values[0], values[1], u8::from(*label)).unwrap();
    }
    assert_eq!(read(&table(&text)).0.past, None);
}
