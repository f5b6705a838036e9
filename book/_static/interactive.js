// Figures with a slider. The page comes with a picture and with the figure's data; where a script runs,
// Plotly draws the data in place of the picture, as soon as a reader comes near. The slider is the
// browser's own, for keyboard, touch and screen readers; Plotly's serves in notebooks.
(() => {
  "use strict";
  const HERE = document.currentScript.src;
  // Plotly must leave the page's own MathJax alone.
  window.PlotlyConfig = { MathJaxConfig: "local" };
  let loading;

  function plotly() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("plotly/plotly.min.js", HERE);
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error(`not found: ${script.src}`));
      document.head.append(script);
    });
    return loading;
  }

  function element(name, className) {
    const made = document.createElement(name);
    made.className = className;
    return made;
  }

  // The slider with its name and its value.
  function slider({ steps, active, currentvalue }, number) {
    const row = element("div", "ntk-slider");
    const label = row.appendChild(element("label", ""));
    const input = row.appendChild(element("input", ""));
    const output = row.appendChild(element("output", ""));
    Object.assign(input, { type: "range", id: `ntk-slider-${number}`, min: 0, max: steps.length - 1, step: 1 });
    input.value = active;
    label.htmlFor = output.htmlFor = input.id;
    label.textContent = currentvalue.prefix;
    const tell = () => {
      output.textContent = steps[input.value].label;
      input.setAttribute("aria-valuetext", `${currentvalue.prefix}${output.textContent}`);
    };
    tell();
    input.addEventListener("input", tell);
    return { row, input };
  }

  async function show(holder, number) {
    const { data, layout, frames } = JSON.parse(holder.querySelector("script").textContent);
    const picture = holder.parentElement.querySelector("img");
    const Plotly = await plotly();
    const { row, input } = slider(layout.sliders[0], number);
    delete layout.sliders;
    layout.font.family = getComputedStyle(document.body).fontFamily;
    const plot = element("div", "ntk-plot");
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", picture.alt);
    picture.classList.add("ntk-twin");
    holder.append(plot, row);
    const at = (place) => data.map((trace, i) => ({ ...trace, ...frames[place].data[i] }));
    const draw = () => Plotly.react(plot, at(input.value), layout, { displayModeBar: false, responsive: true });
    input.addEventListener("input", draw);
    await draw();
    holder.dataset.ready = "yes";
  }

  const holders = [...document.querySelectorAll(".ntk-interactive")];
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        show(target, holders.indexOf(target));
      }
    },
    { rootMargin: "1000px 0px" },
  );
  for (const holder of holders) near.observe(holder);
})();
