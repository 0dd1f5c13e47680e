//! What can be wrong with a schedule's settings.

/// Why a schedule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There is no such schedule.
    #[error("there is no schedule «{name}»{suggestion} (known: {known})")]
    Unknown {
        /// What was given.
        name: String,
        /// A «did you mean», or nothing.
        suggestion: String,
        /// Those that exist.
        known: String,
    },
    /// It has no such setting.
    #[error("{schedule} has no setting «{name}»{suggestion} (known: {known})")]
    UnknownSetting {
        /// The schedule's name.
        schedule: &'static str,
        /// What was given.
        name: String,
        /// A «did you mean», or nothing.
        suggestion: String,
        /// Those that exist.
        known: String,
    },
    /// A setting is out of its range, or no value of its kind.
    #[error("{schedule}: {name} = {value}: it must be {expected}")]
    Setting {
        /// The schedule's name.
        schedule: &'static str,
        /// The setting's name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// Something that is no schedule stands where one is wanted.
    #[error(
        "{given} is not a schedule: give a name, such as \"cosine\", or a table with a name and settings, such as \
         {{ name = \"cosine\", final = 0.1 }}"
    )]
    NotASchedule {
        /// What was given.
        given: String,
    },
}
