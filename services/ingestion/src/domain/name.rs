//! Names of companies, made comparable: without case, legal form, punctuation, accents and alphabet (I-3).

use unicode_normalization::UnicodeNormalization as _;

/// Legal forms, in Latin letters.
const FORMS: [&str; 41] = [
    "inc",
    "llc",
    "ltd",
    "limited",
    "llp",
    "gmbh",
    "co",
    "corp",
    "corporation",
    "company",
    "plc",
    "sa",
    "sas",
    "sarl",
    "ag",
    "oy",
    "ab",
    "as",
    "bv",
    "nv",
    "kg",
    "spa",
    "srl",
    "sdn",
    "bhd",
    "pte",
    "pty",
    "too",
    "ooo",
    "oao",
    "zao",
    "pao",
    "ao",
    "ip",
    "tov",
    "pp",
    "zhshs",
    "jsc",
    "pjsc",
    "ojsc",
    "the",
];

/// The words of a name in small Latin letters, without legal forms: `ТОО «Алтын Карго»` is `altyn kargo`. Where nothing
/// else is left, legal forms stay.
pub fn normalised(name: &str) -> String {
    let mut latin = String::with_capacity(name.len());
    for letter in name.to_lowercase().nfd() {
        match transliterated(letter) {
            Some(text) => latin.push_str(text),
            None if letter.is_alphanumeric() => latin.push(letter),
            None if ('\u{300}'..='\u{36F}').contains(&letter) || letter == '\'' || letter == '.' => {}
            None => latin.push(' '),
        }
    }
    let words: Vec<&str> = latin.split_whitespace().collect();
    let kept: Vec<&str> = words.iter().copied().filter(|word| !FORMS.contains(word)).collect();
    if kept.is_empty() {
        words.join(" ")
    } else {
        kept.join(" ")
    }
}

/// What stays of a normalised name when spelling is loose: the first letter and the consonants, like sounds as one letter.
/// Names that say nearly the same share it.
pub fn skeleton(normalised: &str) -> String {
    let plain = normalised.replace("ph", "f").replace("kh", "h").replace("x", "ks");
    let mut skeleton = String::new();
    for letter in plain.chars().filter(|letter| !letter.is_whitespace()) {
        let sound = match letter {
            'c' | 'q' => 'k',
            'w' => 'v',
            'z' => 's',
            'y' | 'j' => 'i',
            other => other,
        };
        let vowel = "aeiou".contains(sound) && !skeleton.is_empty();
        if !vowel && !skeleton.ends_with(sound) {
            skeleton.push(sound);
        }
    }
    skeleton
}

/// How alike two normalised names are, 0 to 100: what share of the longer one needs no edit.
pub fn similarity_percent(a: &str, b: &str) -> u8 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 100;
    }
    let alike = (longest - edits(&a, &b)) * 100 / longest;
    u8::try_from(alike).unwrap_or(100)
}

/// Levenshtein's distance, in the memory of one row.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Cyrillic letters of Russian, Ukrainian and Kazakh in Latin ones; None for letters that stay.
fn transliterated(letter: char) -> Option<&'static str> {
    Some(match letter {
        'а' | 'ә' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ғ' | 'ґ' => "g",
        'д' => "d",
        'е' | 'э' | 'є' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' | 'ї' => "i",
        'й' => "y",
        'к' | 'қ' => "k",
        'л' => "l",
        'м' => "m",
        'н' | 'ң' => "n",
        'о' | 'ө' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ұ' | 'ү' => "u",
        'ф' => "f",
        'х' | 'һ' => "h",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "sch",
        'ъ' | 'ь' => "",
        'ы' => "y",
        'ю' => "yu",
        'я' => "ya",
        'ß' => "ss",
        'ø' => "o",
        'æ' => "ae",
        'ł' => "l",
        'ı' => "i",
        _ => return None,
    })
}
