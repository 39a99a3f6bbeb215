//! Whether a text is plausibly English.
//!
//! By small words, those that hardly mean anything by themselves: of running English they are half, and other languages have their
//! own. Detectors that go by letters cannot tell texts as short as those of tickets: "Works great" is Dutch to them.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Small words of English that are no words of the languages of [`OTHERS`].
static ENGLISH: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    words_in(
        "about after again already also always and any anyone anything are aren't because been before being both but can \
    can't cannot cant could couldn't did didn't does doesn't doing don't dont each even ever every everything from \
    get gets getting give going got had have haven't having hello her here hi his how i'd i'll i'm i've if into \
    isn't it it's its just like make more most much my need never not nothing now of only other our out over please \
    really same she should since some something sorry still such than thank thanks that that's the their them then \
    there these they they're things this those through thx too until up very wasn't we we're we've were what when \
    where which while who why with without won't working works would yet you you're your",
    )
});

/// Small words of English that are words of other languages as well.
static SHARED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| words_in("a all an as at be by do for has he i in is me no off on or so to us was will"));

/// Small words, and such as letters begin or end with, of German, French, Spanish, Italian, Portuguese, Dutch, the languages of
/// Scandinavia and Polish, as far as they are written without accents: a word with an accent tells by itself.
static OTHERS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    words_in(
        "ab aber att auch auf aus av avec bedankt bei bij bin bitte bonjour com con dag danke dans das dass de dem der \
    des det di die diese du een ein eine einen einer el elle en er es est et ett frau funktioniert geen gerne gli \
    gracias grazie haben hallo hej herr het hola ich ihr ik ikke il im inte ist jag je jeg jest kan kann kein keine \
    la las le leider les lo los maar mais med merci mi mich mir mit muy naar nach nicht nie niet noch nog non nos \
    nous nuestro nur obrigada obrigado och oder og ola op os para pas pero por puedo que qui schon se sehr seit si \
    sie sind som sono sont sur tack tak takk til todo tout um un una und une uns van vielen voor vous wann war waren \
    warum wenn werden wie wieder wij wir wird wurde y zijn zu zum zur",
    )
});

fn words_in(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

/// Most words of a text that may be English without a small word of it, as in "Works great".
const TERSE_WORDS_MAX: usize = 6;
/// In a longer one, at least one of so many words is a small one of English.
const WORDS_PER_SMALL_WORD_MAX: usize = 10;

/// Whether a text is plausibly English. Where it has words of another language, small words of English weigh more, shared ones by
/// half; where it has none, it has some of English, or only a few words.
pub(super) fn is_plausibly_english(text: &str) -> bool {
    let (mut words, mut english, mut shared, mut others) = (0, 0, 0, 0);
    for word in words_of(text) {
        let is_of = |list: &HashSet<&str>| usize::from(list.contains(word.as_str()));
        words += 1;
        english += is_of(&ENGLISH);
        shared += is_of(&SHARED);
        others += if word.is_ascii() { is_of(&OTHERS) } else { 1 };
    }
    if others > 0 {
        return 2 * english + shared > 2 * others;
    }
    words <= TERSE_WORDS_MAX || (english + shared) * WORDS_PER_SMALL_WORD_MAX >= words
}

/// Its words in small letters, without names of users and addresses of pages.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    let chunks = text.split_whitespace().filter(|chunk| !chunk.starts_with('@') && !chunk.starts_with("http"));
    let words = chunks.flat_map(|chunk| chunk.split(|one: char| !one.is_alphabetic() && !matches!(one, '\'' | '’')));
    let bare = words.map(|word| word.to_lowercase().replace('’', "'").trim_matches('\'').to_owned());
    bare.filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_in_two_lists() {
        assert!(ENGLISH.is_disjoint(&SHARED) && ENGLISH.is_disjoint(&OTHERS) && SHARED.is_disjoint(&OTHERS));
    }

    #[test]
    fn english_is_told_from_other_languages() {
        for english in [
            "The third time our exports fail. We are really frustrated!",
            "Works great",
            "Urgent: production down!",
            "Horrible experience, cancel my account",
            "SSO login fails for Müller GmbH, please help",
            "Our batteries die, and it’s the third time",
            ":)",
            "",
        ] {
            assert!(is_plausibly_english(english), "{english}");
        }
        for other in [
            "Die App stürzt ab",
            "Danke, super!",
            "War leider wieder defekt",
            "Alarm im System",
            "Cancel? Ich will kündigen, die Kosten sind zu hoch",
            "Nous sommes très satisfaits du support",
            "No hay manera de entrar",
            "Mi sono perso, please help",
            "A fatura está errada e ninguém responde",
            "De factuur is fout en niemand antwoordt",
            "Tak for hjælpen",
            "Nie mogę się zalogować",
            "Faktur salah dan tidak ada yang menjawab",
            "Счёт неверный, и никто не отвечает",
            "請求書が間違っています",
        ] {
            assert!(!is_plausibly_english(other), "{other}");
        }
    }
}
