use bytes::Bytes;
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::RowAccessor as _,
};
use upswell_proto::{
    gtype,
    metrics::v1::{
        AccountRevenue, FunnelStep, Movement, MovementKind, MovementTotal, RevenueMetrics, RevenueSlice, Week,
    },
};

use super::*;

fn money(units: i64) -> Option<gtype::Money> {
    Some(gtype::Money {
        currency_code: "KZT".to_owned(),
        units,
        nanos: 0,
    })
}

fn report() -> Report {
    let moved = |kind: MovementKind, units| MovementTotal {
        kind: kind.into(),
        amount: money(units),
        count: 1,
    };
    let metrics = RevenueMetrics {
        currency_code: "KZT".to_owned(),
        mrr_start: money(7_200_000),
        mrr_end: money(8_662_000),
        movements: vec![
            moved(MovementKind::Expansion, 1_512_000),
            moved(MovementKind::Contraction, -50_000),
        ],
        nrr: Some(1.203),
        ..RevenueMetrics::default()
    };
    Report {
        days: ("2026-10-12".parse().unwrap(), "2026-11-23".parse().unwrap()),
        revenue: vec![metrics.clone()],
        segments: vec![RevenueSlice {
            value: "<script>alert(1)</script>".to_owned(),
            metrics: Some(metrics),
        }],
        funnel: vec![FunnelStep {
            step: "offers_sent".to_owned(),
            count: 12,
            conversion: Some(0.5),
        }],
        weeks: vec![
            Week {
                signals: 3,
                accepted: 1,
                ..Week::default()
            };
            6
        ],
        movements: vec![Movement {
            account_id: "=cmd|'/c calc'!A1".to_owned(),
            day: Some(gtype::Date {
                year: 2026,
                month: 10,
                day: 14,
            }),
            kind: MovementKind::Expansion.into(),
            amount: money(128_000),
            mrr_after: money(368_000),
            version_ids: vec!["billing/sub-1@2".to_owned(), "billing/sub-2@1".to_owned()],
            ..Movement::default()
        }],
        accounts: vec![AccountRevenue {
            account_id: "acct-01".to_owned(),
            mrr_start: money(240_000),
            mrr_end: money(368_000),
            movements: vec![moved(MovementKind::Expansion, 128_000)],
        }],
        ..Report::default()
    }
}

#[test]
fn the_page_is_whole_and_inert() {
    let page = render(&report()).unwrap();
    for shown in [
        "120.3 %",
        "8\u{202f}662\u{202f}000 ₸",
        "12",
        "billing/sub-1@2",
        "2026-10-14",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("<script"), "text of others is shown, not run");
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        let own = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!own.contains(outside), "the page asks for {outside}");
    }
}

#[test]
fn an_empty_report_is_a_page_too() {
    let page = render(&Report::default()).unwrap();
    assert!(page.contains("No account had revenue"));
}

#[test]
fn charts_are_svg_and_png() {
    let pictures = pictures(&report()).unwrap();
    let names: Vec<_> = pictures.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["mrr-kzt", "weeks", "funnel"]);
    assert!(pictures[0].1.contains("1.5M") && pictures[0].1.contains("−50k"));
    for (name, svg) in pictures {
        let picture = png(&svg).unwrap();
        assert_eq!(&picture[1..4], b"PNG", "{name}");
    }
}

#[test]
fn rows_are_exported_with_their_facts_and_without_formulas() {
    let mut out = Vec::new();
    movements(&report().movements, Format::Csv, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let expected = "day,account_id,kind,cause,currency,amount_minor,mrr_after_minor,order_id,motion,facts\n\
                    2026-10-14,'=cmd|'/c calc'!A1,expansion,unspecified,KZT,12800000,36800000,,,billing/sub-1@2 billing/sub-2@1\n";
    assert_eq!(text, expected);

    let mut out = Vec::new();
    accounts(&report().accounts, Format::Parquet, &mut out).unwrap();
    let file = SerializedFileReader::new(Bytes::from(out)).unwrap();
    let rows: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get_string(0).unwrap(), "acct-01");
    assert_eq!(
        (rows[0].get_long(2).unwrap(), rows[0].get_long(8).unwrap()),
        (24_000_000, 36_800_000)
    );
}
