//! Tables of other people.

use crate::domain::model::table::{Roles, Table, TableFault, guess_id, learn};

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
