// Draws a sparkline as monitoring/sparkline.py does: into the paths of an SVG, scaled to its own maximum.

const WIDTH = 100;
const HEIGHT = 24;
const ROOM = 2;

/** `values`: oldest first; null leaves a hole. */
export function drawSparkline(svg, values) {
  if (!svg) {
    return;
  }
  const top = Math.max(0, ...values.filter((value) => value !== null)) || 1;
  const step = WIDTH / Math.max(1, values.length - 1);
  let line = "";
  let area = "";
  let run = [];
  for (const [index, value] of [...values, null].entries()) {
    if (value !== null) {
      run.push([(index * step).toFixed(1), (HEIGHT - (value / top) * (HEIGHT - ROOM)).toFixed(1)]);
    } else if (run.length) {
      const points = run.map((point) => point.join(" ")).join("L");
      line += `M${points}`;
      area += `M${run[0][0]} ${HEIGHT}L${points}L${run.at(-1)[0]} ${HEIGHT}Z`;
      run = [];
    }
  }
  svg.querySelector(".mon-sparkline-line").setAttribute("d", line);
  svg.querySelector(".mon-sparkline-area").setAttribute("d", area);
}
