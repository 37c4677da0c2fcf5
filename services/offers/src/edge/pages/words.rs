//! The few words of the pages themselves, in every language.

use crate::domain::message::Language;

/// What the pages say.
pub(super) struct Words {
    pub(super) accept: &'static str,
    pub(super) decline: &'static str,
    /// In the order of the reasons.
    pub(super) reasons: [&'static str; 6],
    pub(super) accepted: &'static str,
    pub(super) declined: &'static str,
    pub(super) over: &'static str,
    pub(super) opt_out: &'static str,
    pub(super) opt_out_question: &'static str,
    pub(super) opted_out: &'static str,
}

pub(super) const fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::Russian => &RUSSIAN,
        Language::Ukrainian => &UKRAINIAN,
        Language::Kazakh => &KAZAKH,
        Language::Malay => &MALAY,
    }
}

const ENGLISH: Words = Words {
    accept: "Accept",
    decline: "Not for us",
    reasons: [
        "too expensive",
        "not now",
        "we do not use enough yet",
        "not needed",
        "please do not write about this",
        "another reason",
    ],
    accepted: "Accepted. Thank you!",
    declined: "Thank you for the answer.",
    over: "This offer is no longer open.",
    opt_out: "No more messages",
    opt_out_question: "Shall no more of these messages come to you?",
    opted_out: "Done: no more of these messages will come to you.",
};

const RUSSIAN: Words = Words {
    accept: "Принять",
    decline: "Не подходит",
    reasons: [
        "дорого",
        "не сейчас",
        "ещё мало пользуемся",
        "не нужно",
        "не пишите об этом",
        "другая причина",
    ],
    accepted: "Принято. Спасибо!",
    declined: "Спасибо за ответ.",
    over: "Это предложение больше не действует.",
    opt_out: "Больше не писать",
    opt_out_question: "Больше не присылать вам такие сообщения?",
    opted_out: "Готово: такие сообщения больше не придут.",
};

const UKRAINIAN: Words = Words {
    accept: "Прийняти",
    decline: "Не підходить",
    reasons: [
        "дорого",
        "не зараз",
        "ще мало користуємося",
        "не потрібно",
        "не пишіть про це",
        "інша причина",
    ],
    accepted: "Прийнято. Дякуємо!",
    declined: "Дякуємо за відповідь.",
    over: "Ця пропозиція більше не діє.",
    opt_out: "Більше не писати",
    opt_out_question: "Більше не надсилати вам такі повідомлення?",
    opted_out: "Готово: такі повідомлення більше не надходитимуть.",
};

const KAZAKH: Words = Words {
    accept: "Қабылдау",
    decline: "Сәйкес емес",
    reasons: [
        "қымбат",
        "қазір емес",
        "әлі аз қолданамыз",
        "қажет емес",
        "бұл туралы жазбаңыз",
        "басқа себеп",
    ],
    accepted: "Қабылданды. Рақмет!",
    declined: "Жауабыңызға рақмет.",
    over: "Бұл ұсыныс енді жарамсыз.",
    opt_out: "Енді жазбау",
    opt_out_question: "Сізге мұндай хабарламалар енді жіберілмесін бе?",
    opted_out: "Дайын: мұндай хабарламалар енді келмейді.",
};

const MALAY: Words = Words {
    accept: "Terima",
    decline: "Tidak sesuai",
    reasons: [
        "terlalu mahal",
        "bukan sekarang",
        "belum cukup digunakan",
        "tidak diperlukan",
        "jangan tulis tentang ini",
        "sebab lain",
    ],
    accepted: "Diterima. Terima kasih!",
    declined: "Terima kasih atas jawapan anda.",
    over: "Tawaran ini tidak lagi dibuka.",
    opt_out: "Jangan hantar lagi",
    opt_out_question: "Jangan hantar lagi mesej seperti ini kepada anda?",
    opted_out: "Selesai: mesej seperti ini tidak akan dihantar lagi.",
};
