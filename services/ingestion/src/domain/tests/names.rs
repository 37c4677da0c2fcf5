use crate::domain::name::{normalised, similarity_percent, skeleton};

#[test]
fn i3_names_are_compared_without_form_case_accents_and_alphabet() {
    for (name, expected) in [
        ("ТОО «Алтын Карго»", "altyn kargo"),
        ("Altyn Cargo, LLC", "altyn cargo"),
        ("  ACME   Corp. ", "acme"),
        ("Müller & Söhne GmbH", "muller sohne"),
        ("O'Brien Ltd", "obrien"),
        ("Қазақ Жол", "kazak zhol"),
        ("Co", "co"),
        ("«»", ""),
    ] {
        assert_eq!(normalised(name), expected, "{name}");
    }
}

#[test]
fn i3_names_that_sound_alike_share_their_skeleton() {
    let of = |name: &str| skeleton(&normalised(name));
    for (a, b) in [
        ("ТОО Алтын Карго", "Altyn Cargo LLC"),
        ("Wiktor Logistik", "Victor Logistic"),
        ("Phoenix", "Feniks"),
        ("Hanssen", "Hansen"),
    ] {
        assert_eq!(of(a), of(b), "{a} / {b}");
    }
    assert_ne!(of("Steppe Freight"), of("Steppe Foods"));
    assert_eq!(of(""), "");
}

#[test]
fn i3_similarity_counts_edits() {
    for (a, b, percent) in [
        ("acme", "acme", 100),
        ("acme", "", 0),
        ("kargo", "cargo", 80),
        ("", "", 100),
    ] {
        assert_eq!(similarity_percent(a, b), percent);
        assert_eq!(similarity_percent(b, a), percent);
    }
}
