//! The page is asked for what a reader needs and for what must never be in it.

use super::render;
use crate::race::{Race, RaceSpec, run};

fn race(functions: &[&str], optimizers: &[&str], steps: u32) -> Race {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let spec =
        RaceSpec { functions: owned(functions), optimizers: owned(optimizers), steps, ..RaceSpec::default() };
    run(spec).expect("it runs")
}

/// The data as the script gets them.
fn data(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"data\">").expect("the data");
    serde_json::from_str(rest.split("</script>").next().expect("the data")).expect("JSON")
}

/// Numbers from differences.
fn sums(value: &serde_json::Value) -> Vec<Option<i64>> {
    let mut sum = 0;
    let text = value.as_str().expect("a text");
    let part = |part: &str| {
        let difference: i64 = part.parse().ok()?;
        sum += difference;
        Some(sum)
    };
    text.split(' ').map(part).collect()
}

#[test]
fn the_page_says_what_was_found_and_asks_for_nothing() {
    let race = race(&["quadratic", "saddle"], &["all"], 300);
    let page = render(&race).expect("a page");
    for course in &race.courses {
        for sentence in race.sentences(course) {
            let escaped =
                askama::filters::escape(&sentence, askama::filters::Html).expect("text").to_string();
            assert!(page.contains(&escaped), "{sentence}");
        }
        assert!(page.contains(course.function.formula) && page.contains(course.function.title));
    }
    for alien in ["https://", "src=", "href=", "@import", "url(", "fetch("] {
        let own = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!own.contains(alien), "«{alien}»");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(!data(&page).to_string().contains("NaN") && !data(&page).to_string().contains("inf"));
    assert_eq!(page, render(&race).expect("a page"), "the same bits each time");
}

#[test]
fn paths_are_those_of_the_walks() {
    let race = race(&["booth"], &["adam"], 500);
    let data = data(&render(&race).expect("a page"));
    let (course, walker) = (&race.courses[0], &race.courses[0].walkers[0]);
    let frames = sums(&data["frames"]);
    assert_eq!(frames.last(), Some(&Some(500)));
    let leg = &data["courses"][0]["walkers"][0]["legs"][1];
    let steps: Vec<i64> =
        leg["path"].as_str().expect("a path").split(' ').map(|n| n.parse().expect("a number")).collect();
    assert_eq!(steps.len(), 2 * frames.len());
    let end: Vec<i64> = (0..2).map(|axis| steps.iter().skip(axis).step_by(2).sum()).collect();
    let [[left, right], [low, high]] = course.function.window;
    let at = [left + end[0] as f64 * (right - left) / 1e4, low + end[1] as f64 * (high - low) / 1e4];
    let exact = walker.chosen.outcome.final_point.expect("an end");
    assert!((at[0] - exact[0]).abs() < 2e-3 && (at[1] - exact[1]).abs() < 2e-3, "{at:?} {exact:?}");
    assert_eq!(sums(&leg["gaps"]).len(), frames.len());
    assert_eq!(sums(&leg["effective"]).len(), frames.len());
    // After the last step there is no step to take.
    assert_eq!(sums(&leg["effective"]).last(), Some(&None));
}

#[test]
fn a_start_outside_widens_the_picture() {
    let spec = RaceSpec { start: Some([-40.0, 0.5]), steps: 5, ..RaceSpec::default() };
    let race = run(spec).expect("it runs");
    let [x, y] = super::data::window(&race.courses[0]);
    assert!(x[0] < -40.0 && x[1] == 2.0 && y == race.courses[0].function.window[1], "{x:?} {y:?}");
}

#[test]
fn long_walks_of_many_methods_stay_light() {
    let race = race(&["rosenbrock"], &["all"], 10_000);
    let page = render(&race).expect("a page");
    let each = (page.len() - 60_000) / race.courses[0].walkers.len();
    assert!(each < 30_000, "{each} bytes for each method");
}
