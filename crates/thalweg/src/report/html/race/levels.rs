//! Level lines of a function over its picture, by marching squares (Lorensen and Cline 1987, in the plane).

use std::collections::BTreeMap;

/// Cells of the grid in each direction.
const CELLS: usize = 200;
/// How many level lines there are.
const LEVELS: usize = 18;
/// Units of the picture's width and height: what all coordinates are rounded to.
pub(super) const UNITS: f64 = 10_000.0;
/// A line may be this many units off: a sixth of a pixel at the picture's largest.
const TOLERANCE: f64 = 2.0;

/// Heights of a function on a grid over the picture.
pub(super) struct Heights {
    /// Row by row from below, `CELLS + 1` each; logarithms to base 10 of the height above the lowest value.
    logs: Vec<f64>,
}

/// A line in units of the picture.
pub(super) type Line = Vec<[f64; 2]>;

impl Heights {
    /// `gap` is the height above the lowest value.
    pub(super) fn new(window: [[f64; 2]; 2], mut gap: impl FnMut([f64; 2]) -> f64) -> Self {
        let at = |range: [f64; 2], cell: usize| range[0] + (range[1] - range[0]) * cell as f64 / CELLS as f64;
        let cells = (0..=CELLS).flat_map(|row| (0..=CELLS).map(move |column| (row, column)));
        let logs = cells.map(|(row, column)| {
            // A node may sit on a minimum: its height is cut off far below every level.
            libm::log10(gap([at(window[0], column), at(window[1], row)]).max(1e-30))
        });
        Self { logs: logs.collect() }
    }

    /// The logarithms of the levels: evenly spaced from what one node in three hundred lies below, to the highest.
    pub(super) fn levels(&self) -> Vec<f64> {
        let mut sorted = self.logs.clone();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[sorted.len() / 300], sorted[sorted.len() - 1]);
        (0..LEVELS).map(|level| low + (high - low) * level as f64 / LEVELS as f64).collect()
    }

    /// A coarse copy for shading: `side` × `side` shares of the range of levels, 0 to 255, row by row from above.
    pub(super) fn shades(&self, side: usize) -> Vec<u8> {
        let levels = self.levels();
        let (low, high) = (levels[0], levels[LEVELS - 1]);
        let node = |index: usize| (index * CELLS + (side - 1) / 2) / (side - 1);
        let shade = |(row, column): (usize, usize)| {
            let log = self.log(node(row), node(column));
            (255.0 * ((log - low) / (high - low).max(1e-12)).clamp(0.0, 1.0)).round() as u8
        };
        (0..side).rev().flat_map(|row| (0..side).map(move |column| (row, column))).map(shade).collect()
    }

    fn log(&self, row: usize, column: usize) -> f64 {
        self.logs[row * (CELLS + 1) + column]
    }

    /// The lines on which the logarithm of the height is `level`.
    pub(super) fn lines(&self, level: f64) -> Vec<Line> {
        let mut next = Links::default();
        for row in 0..CELLS {
            for column in 0..CELLS {
                self.cell(level, row, column, &mut next);
            }
        }
        next.lines()
            .iter()
            .map(|edges| simplified(&edges.iter().map(|&edge| self.cross(level, edge)).collect::<Line>()))
            .collect()
    }

    /// The pieces of the line in one cell: each joins two edges of it.
    fn cell(&self, level: f64, row: usize, column: usize, links: &mut Links) {
        // Around the cell from the lower left corner, and the edge that follows each corner.
        let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
        let edges = [
            Edge { row, column, up: false },
            Edge { row, column: column + 1, up: true },
            Edge { row: row + 1, column, up: false },
            Edge { row, column, up: true },
        ];
        let logs = corners.map(|(row, column)| self.log(row, column));
        let above = logs.map(|log| log > level);
        let crossed: Vec<usize> = (0..4).filter(|&side| above[side] != above[(side + 1) % 4]).collect();
        match crossed[..] {
            [a, b] => links.join(edges[a], edges[b]),
            // Two corners across from each other are above: the mean of all says which two pieces there are.
            [a, b, c, d] => {
                let mean_above = logs.iter().sum::<f64>() / 4.0 > level;
                let (pair, other) = if mean_above == above[0] { ([a, b], [c, d]) } else { ([d, a], [b, c]) };
                links.join(edges[pair[0]], edges[pair[1]]);
                links.join(edges[other[0]], edges[other[1]]);
            }
            _ => {}
        }
    }

    /// Where the line crosses an edge, in units.
    fn cross(&self, level: f64, edge: Edge) -> [f64; 2] {
        let Edge { row, column, up } = edge;
        let (from, to) =
            (self.log(row, column), if up { self.log(row + 1, column) } else { self.log(row, column + 1) });
        let share = (level - from) / (to - from);
        let (x, y) =
            (column as f64 + if up { 0.0 } else { share }, row as f64 + if up { share } else { 0.0 });
        [x, y].map(|at| at * UNITS / CELLS as f64)
    }
}

/// An edge of the grid: from a node to the right, or up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    row: usize,
    column: usize,
    up: bool,
}

/// Which edges a line joins; an edge has one neighbour (at the picture's rim) or two.
#[derive(Default)]
struct Links(BTreeMap<Edge, Vec<Edge>>);

impl Links {
    fn join(&mut self, a: Edge, b: Edge) {
        self.0.entry(a).or_default().push(b);
        self.0.entry(b).or_default().push(a);
    }

    /// Whole lines: those that end at the rim, then the closed ones (first point = last point).
    fn lines(mut self) -> Vec<Vec<Edge>> {
        let ends: Vec<Edge> = self.0.iter().filter(|(_, to)| to.len() == 1).map(|(edge, _)| *edge).collect();
        let mut lines: Vec<Vec<Edge>> = Vec::new();
        for end in ends {
            lines.extend(self.follow(end));
        }
        while let Some(&edge) = self.0.keys().next() {
            lines.extend(self.follow(edge).map(|mut line| {
                line.push(edge);
                line
            }));
        }
        lines
    }

    /// Takes out the line that begins at an edge.
    fn follow(&mut self, start: Edge) -> Option<Vec<Edge>> {
        let mut line = vec![start];
        let mut neighbours = self.0.remove(&start)?;
        while let Some(next) = neighbours.into_iter().find(|edge| self.0.contains_key(edge)) {
            line.push(next);
            neighbours = self.0.remove(&next).unwrap_or_default();
        }
        Some(line)
    }
}

/// The line with fewer points, none of the dropped ones farther off than the tolerance (Ramer 1972, Douglas and Peucker
/// 1973).
fn simplified(line: &[[f64; 2]]) -> Line {
    let mut keep = vec![false; line.len()];
    let mut parts = vec![(0, line.len() - 1)];
    while let Some((first, last)) = parts.pop() {
        (keep[first], keep[last]) = (true, true);
        let off = |index: &usize| distance_to_chord(line[*index], line[first], line[last]);
        let farthest = (first + 1..last).max_by(|a, b| off(a).total_cmp(&off(b)));
        if let Some(middle) = farthest.filter(|index| off(index) > TOLERANCE) {
            parts.extend([(first, middle), (middle, last)]);
        }
    }
    line.iter().zip(keep).filter(|(_, keep)| *keep).map(|(point, _)| *point).collect()
}

fn distance_to_chord(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (chord, off) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let square = chord[0] * chord[0] + chord[1] * chord[1];
    let share =
        if square > 0.0 { ((off[0] * chord[0] + off[1] * chord[1]) / square).clamp(0.0, 1.0) } else { 0.0 };
    libm::hypot(off[0] - share * chord[0], off[1] - share * chord[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: [[f64; 2]; 2] = [[-2.0, 2.0], [-2.0, 2.0]];

    fn place(point: &[f64; 2]) -> [f64; 2] {
        point.map(|at| 4.0 * at / UNITS - 2.0)
    }

    #[test]
    fn the_level_lines_of_a_bowl_are_circles() {
        let heights = Heights::new(WINDOW, |[x, y]| x * x + y * y);
        for radius in [0.5_f64, 1.0, 1.9] {
            let lines = heights.lines((radius * radius).log10());
            assert_eq!(lines.len(), 1, "one circle of radius {radius}");
            assert_eq!(lines[0].first(), lines[0].last(), "it is closed");
            for [x, y] in lines[0].iter().map(place) {
                assert!((x.hypot(y) - radius).abs() < 1e-3, "({x}, {y}) is not {radius} away");
            }
        }
        // Beyond 2 only the four corners are left, each with an arc from rim to rim.
        let arcs = heights.lines(6_f64.log10());
        assert_eq!(arcs.len(), 4);
        for arc in &arcs {
            let on_rim = |point: &[f64; 2]| point.iter().any(|at| *at == 0.0 || *at == UNITS);
            assert!(on_rim(&arc[0]) && on_rim(&arc[arc.len() - 1]) && arc.len() > 2);
        }
    }

    #[test]
    fn a_saddle_has_two_branches_and_no_crossing() {
        let heights = Heights::new(WINDOW, |[x, y]| x * x - y * y + 10.0);
        for shift in [-0.5, -1e-4, 1e-4, 0.5] {
            assert_eq!(heights.lines((10.0_f64 + shift).log10()).len(), 2, "{shift}");
        }
    }

    #[test]
    fn levels_rise_evenly_and_shades_span_their_range() {
        let heights = Heights::new(WINDOW, |[x, y]| x * x + 9.0 * y * y);
        let levels = heights.levels();
        assert_eq!(levels.len(), LEVELS);
        let step = levels[1] - levels[0];
        assert!(step > 0.0 && levels.windows(2).all(|pair| (pair[1] - pair[0] - step).abs() < 1e-12));
        let shades = heights.shades(32);
        assert_eq!((shades.len(), shades.iter().min(), shades.iter().max()), (1024, Some(&0), Some(&255)));
        assert!(levels.iter().all(|&level| !heights.lines(level).is_empty()));
    }

    #[test]
    fn a_straight_line_needs_two_points() {
        let line: Line = (0..50).map(|i| [f64::from(i), 2.0 * f64::from(i)]).collect();
        assert_eq!(simplified(&line), [[0.0, 0.0], [49.0, 98.0]]);
        let bent = [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0]];
        assert_eq!(simplified(&bent), bent);
    }
}
