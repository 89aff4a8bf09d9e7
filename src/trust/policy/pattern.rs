//! Patterns over repositories, identities and operators.

use std::fmt;

/// A pattern over a whole text: `*` is any run of characters but `/`, `**` any run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Character(char),
    /// `*`
    Run,
    /// `**`
    Anything,
}

impl Pattern {
    /// Reads a pattern; every text is one.
    pub fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        for character in text.chars() {
            match (character, tokens.last()) {
                ('*', Some(Token::Run)) => {
                    tokens.pop();
                    tokens.push(Token::Anything);
                }
                ('*', Some(Token::Anything)) => {}
                ('*', _) => tokens.push(Token::Run),
                (other, _) => tokens.push(Token::Character(other)),
            }
        }
        Self(tokens)
    }

    /// A pattern that only this text fits.
    pub fn exactly(text: &str) -> Self {
        Self(text.chars().map(Token::Character).collect())
    }

    /// Whether the whole text fits, in time proportional to the product of both lengths: a hostile
    /// name cannot make it run away.
    pub fn matches(&self, text: &str) -> bool {
        // reached[n]: the text so far fits the first n tokens.
        let mut reached = vec![false; self.0.len() + 1];
        reached[0] = true;
        self.skip_empty_runs(&mut reached);
        for character in text.chars() {
            let mut next = vec![false; reached.len()];
            for (index, token) in self.0.iter().enumerate() {
                match *token {
                    Token::Character(expected) if expected == character => {
                        next[index + 1] |= reached[index];
                    }
                    Token::Run if character != '/' => next[index + 1] |= reached[index + 1],
                    Token::Anything => next[index + 1] |= reached[index + 1],
                    Token::Character(_) | Token::Run => {}
                }
            }
            self.skip_empty_runs(&mut next);
            reached = next;
        }
        reached[self.0.len()]
    }

    /// A run may be empty.
    fn skip_empty_runs(&self, reached: &mut [bool]) {
        for (index, token) in self.0.iter().enumerate() {
            if !matches!(token, Token::Character(_)) {
                reached[index + 1] |= reached[index];
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| match token {
            Token::Character(character) => write!(f, "{character}"),
            Token::Run => f.write_str("*"),
            Token::Anything => f.write_str("**"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_component_unless_doubled() {
        let rows = [
            ("r.example/prod/mlp", "r.example/prod/mlp", true),
            ("r.example/prod/mlp", "r.example/prod/mlp2", false),
            ("r.example/prod/*", "r.example/prod/mlp", true),
            ("r.example/prod/*", "r.example/prod/a/b", false),
            ("r.example/prod/*", "r.example/prod/", true),
            ("r.example/prod/**", "r.example/prod/a/b", true),
            ("**/mlp", "r.example/a/b/mlp", true),
            ("**/mlp", "r.example/a/b/mlp2", false),
            ("*:*", "ai.onnx:Conv", true),
            ("com.*:Gelu", "com.microsoft:Gelu", true),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abbb", false),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                expected,
                "{pattern} {text}"
            );
            assert_eq!(Pattern::new(pattern).to_string(), pattern);
        }
    }

    #[test]
    fn exact_text_has_no_stars() {
        let pattern = Pattern::exactly("a*");
        assert!(pattern.matches("a*") && !pattern.matches("ab"));
    }

    #[test]
    fn many_stars_end() {
        let pattern = Pattern::new(&"a*".repeat(2000));
        assert!(!pattern.matches(&"a".repeat(1999)));
    }
}
