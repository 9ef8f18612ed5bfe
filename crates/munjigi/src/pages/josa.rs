//! Korean particles: most come in two forms, and the last sound of the word before decides which.

/// The sound a word ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Vowel,
    /// ㄹ: counts as a consonant, but not for 으로/로.
    Rieul,
    Consonant,
}

/// `word` with the particle of `pair` ("은/는", "이/가", "을/를", "과/와", "으로/로": after a consonant / after a vowel).
/// Where nobody can tell how the word is read, both forms are given as Koreans write them: `은(는)`, `(으)로`.
pub(super) fn attach(word: &str, pair: &str) -> String {
    let Some((after_consonant, after_vowel)) = pair.split_once('/') else {
        return format!("{word}{pair}");
    };
    let droppable = after_consonant.strip_suffix(after_vowel).filter(|linking| !linking.is_empty());
    match (ending(word), droppable) {
        (Some(Ending::Vowel), _) | (Some(Ending::Rieul), Some(_)) => format!("{word}{after_vowel}"),
        (Some(_), _) => format!("{word}{after_consonant}"),
        (None, Some(linking)) => format!("{word}({linking}){after_vowel}"),
        (None, None) => format!("{word}{after_consonant}({after_vowel})"),
    }
}

/// The last sound, as a Korean would read the word; marks, brackets and emoji at the end are not read.
fn ending(word: &str) -> Option<Ending> {
    let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    let last = word.chars().next_back()?;
    match last {
        '가'..='힣' => Some(match (u32::from(last) - u32::from('가')) % 28 {
            0 => Ending::Vowel,
            8 => Ending::Rieul,
            _ => Ending::Consonant,
        }),
        '0'..='9' => Some(digit(last)),
        'a'..='z' | 'A'..='Z' => latin(&word.to_ascii_lowercase()),
        _ => None,
    }
}

/// 영 일 이 삼 사 오 육 칠 팔 구.
fn digit(digit: char) -> Ending {
    match digit {
        '1' | '7' | '8' => Ending::Rieul,
        '0' | '3' | '6' => Ending::Consonant,
        _ => Ending::Vowel,
    }
}

/// Latin is read letter by letter where it stands alone ("R" is 알) and as a word otherwise ("server" is 서버). Final b, c, g,
/// k, p and t are read either way ("Mac" 맥, "Kakaopark" 파크), so they are left open.
fn latin(word: &str) -> Option<Ending> {
    let alone = word.chars().rev().take_while(char::is_ascii_alphabetic).count() == 1;
    let spoken =
        ["le", "me", "ne"].into_iter().find(|end| !alone && word.ends_with(end)).and_then(|end| end.chars().next());
    match spoken.or_else(|| word.chars().next_back())? {
        'l' => Some(Ending::Rieul),
        'r' if alone => Some(Ending::Rieul),
        'm' | 'n' => Some(Ending::Consonant),
        'g' if word.ends_with("ng") => Some(Ending::Consonant),
        'b' | 'c' | 'g' | 'k' | 'p' | 't' if !alone => None,
        _ => Some(Ending::Vowel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles_follow_the_last_sound() {
        for (word, topic, subject, object, by, and) in [
            ("민아", "민아는", "민아가", "민아를", "민아로", "민아와"),
            ("지훈", "지훈은", "지훈이", "지훈을", "지훈으로", "지훈과"),
            ("한별", "한별은", "한별이", "한별을", "한별로", "한별과"),
            ("user3", "user3은", "user3이", "user3을", "user3으로", "user3과"),
            ("user1", "user1은", "user1이", "user1을", "user1로", "user1과"),
            ("user2", "user2는", "user2가", "user2를", "user2로", "user2와"),
            ("mina", "mina는", "mina가", "mina를", "mina로", "mina와"),
            ("kim", "kim은", "kim이", "kim을", "kim으로", "kim과"),
            ("Google", "Google은", "Google이", "Google을", "Google로", "Google과"),
            ("山田", "山田은(는)", "山田이(가)", "山田을(를)", "山田(으)로", "山田과(와)"),
        ] {
            assert_eq!(attach(word, "은/는"), topic);
            assert_eq!(attach(word, "이/가"), subject);
            assert_eq!(attach(word, "을/를"), object);
            assert_eq!(attach(word, "으로/로"), by);
            assert_eq!(attach(word, "과/와"), and);
        }
    }

    #[test]
    fn every_digit_is_read_in_korean() {
        let read: String = (0..10).map(|digit| attach(&digit.to_string(), "으로/로") + " ").collect();
        assert_eq!(read, "0으로 1로 2로 3으로 4로 5로 6으로 7로 8로 9로 ");
    }

    #[test]
    fn latin_is_read_by_letter_alone_and_as_a_word_otherwise() {
        for (word, topic) in [
            ("R", "R은"),
            ("server", "server는"),
            ("Chrome", "Chrome은"),
            ("Yang", "Yang은"),
            ("Mac", "Mac은(는)"),
            ("B", "B는"),
            ("부서-L", "부서-L은"),
        ] {
            assert_eq!(attach(word, "은/는"), topic);
        }
    }

    #[test]
    fn what_is_not_read_is_passed_over_and_nothing_panics() {
        assert_eq!(attach("민아😀", "은/는"), "민아😀는");
        assert_eq!(attach("지훈(팀장)", "이/가"), "지훈(팀장)이");
        assert_eq!(attach("", "은/는"), "은(는)");
        assert_eq!(attach("!!", "을/를"), "!!을(를)");
        assert_eq!(attach("민아", "님"), "민아님");
        assert_eq!(attach("ㅋㅋ", "이/가"), "ㅋㅋ이(가)");
    }
}
