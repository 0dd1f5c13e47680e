"use strict";
(() => {
  const charts = [...document.querySelectorAll(".chart")];
  for (const chart of charts) {
    const spec = JSON.parse(document.getElementById(chart.dataset.spec).textContent);
    Plotly.newPlot(chart, spec.data, spec.layout, spec.config);
  }

  // A method's traces share a group; the legend's button shows or hides all of them.
  const sensitivity = document.getElementById("sensitivity");
  for (const button of document.querySelectorAll("button[data-group]")) {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      const traces = sensitivity.data.flatMap((trace, index) =>
        trace.legendgroup === button.dataset.group ? [index] : []);
      Plotly.restyle(sensitivity, { visible: shown }, traces);
    });
  }

  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        // A page from a file may be denied the clipboard: then the text is selected, ready to be copied by hand.
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // Paper has another width than the window, and nothing can be opened on it.
  const resize = () => charts.forEach(chart => Plotly.Plots.resize(chart));
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach(details => { details.open = true; });
    resize();
  });
  addEventListener("afterprint", resize);
})();
