//! How a chore fails: wrong usage or a failed step. Every message says what to do next.

use std::fmt;

/// Why a chore ended without success.
#[derive(Debug)]
pub(crate) enum ChoreError {
    /// The command line was wrong: exit code 2.
    Usage(String),
    /// A step failed: exit code 1.
    Failed(String),
}

impl ChoreError {
    /// A step that failed, with its message.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for ChoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(message) | Self::Failed(message)) = self;
        f.write_str(message)
    }
}

/// The row called `wanted`, or a usage error that names the nearest one and lists them all.
pub(crate) fn pick<'a, R>(
    rows: &'a [R],
    name_of: impl Fn(&R) -> &str,
    kind: &str,
    wanted: &str,
) -> Result<&'a R, ChoreError> {
    if let Some(row) = rows.iter().find(|row| name_of(row) == wanted) {
        return Ok(row);
    }
    let nearest = rows
        .iter()
        .map(|row| (strsim::damerau_levenshtein(name_of(row), wanted), name_of(row)))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    let hint = nearest.map_or(String::new(), |(_, name)| format!(", did you mean «{name}»?"));
    let names: Vec<&str> = rows.iter().map(&name_of).collect();
    Err(ChoreError::Usage(format!("no {kind} is called «{wanted}»{hint}\nThere are: {}.", names.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let rows = ["tidy", "bench"];
        let near = pick(&rows, |r| r, "chore", "tdiy").expect_err("misspelt").to_string();
        assert!(near.contains("did you mean «tidy»?"), "{near}");
        let far = pick(&rows, |r| r, "chore", "sing").expect_err("unknown").to_string();
        assert!(!far.contains("did you mean") && far.contains("tidy, bench"), "{far}");
        assert_eq!(*pick(&rows, |r| r, "chore", "bench").expect("known"), "bench");
    }
}
