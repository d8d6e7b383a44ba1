// Draws the charts at the width they have; the drawing that came with the page stays where this cannot run.
"use strict";
(() => {
  if (!window.vegaEmbed) return;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const drawn = new Map();

  function draw(figure) {
    const place = figure.querySelector(".chart__drawing");
    const { spec, locale } = JSON.parse(document.querySelector(`[data-for="${CSS.escape(figure.dataset.chart)}"]`).textContent);
    spec.width = Math.max(240, Math.floor(place.clientWidth - 72)); // the axis' numbers stand left of the drawing
    const labels = spec.data.values.length;
    spec.params = [{ name: "narrow", value: spec.width / labels < 52 }]; // pixels that one label of five digits takes
    spec.autosize = { type: "pad", contains: "padding" };
    const holder = document.createElement("div");
    const options = { actions: false, renderer: "svg", ast: true, defaultStyle: false, formatLocale: locale, tooltip: false };
    return vegaEmbed(holder, spec, options).then((result) => {
      drawn.get(figure)?.finalize();
      drawn.set(figure, result);
      holder.querySelector("svg").setAttribute("aria-hidden", "true");
      place.replaceChildren(holder);
    });
  }

  const figures = [...document.querySelectorAll("[data-chart]")];
  const widths = new Map();
  let waiting = 0;
  const again = () => {
    for (const figure of figures) {
      const width = figure.clientWidth;
      if (width && width !== widths.get(figure)) {
        widths.set(figure, width);
        draw(figure).catch((error) => console.warn("chart not drawn", error));
      }
    }
  };
  new ResizeObserver(() => { clearTimeout(waiting); waiting = setTimeout(again, 120); }).observe(document.body);
  again();
})();
