// Where an airport lies on the page: the contiguous states in Albers' equal-area projection; Alaska, Hawaii and the islands of the
// Caribbean in boxes of their own below.

const RAD = Math.PI / 180;

function albers(parallel1, parallel2, lat0, lon0) {
  const n = (Math.sin(parallel1 * RAD) + Math.sin(parallel2 * RAD)) / 2;
  const c = Math.cos(parallel1 * RAD) ** 2 + 2 * n * Math.sin(parallel1 * RAD);
  const rho = (lat) => Math.sqrt(c - 2 * n * Math.sin(lat * RAD)) / n;
  const rho0 = rho(lat0);
  return (lat, lon) => {
    const theta = n * (lon - lon0) * RAD;
    return [rho(lat) * Math.sin(theta), rho(lat) * Math.cos(theta) - rho0];
  };
}

const MAIN = { name: "main", of: albers(29.5, 45.5, 37.5, -96) };
const ALASKA = { name: "alaska", of: albers(55, 65, 50, -154) };
const ISLANDS = { name: "islands", of: albers(8, 18, 18, -66) };
const HAWAII = { name: "hawaii", of: albers(8, 18, 3, -157) };

export function regionOf({ lat, lon }) {
  if (lat > 24 && lat < 50 && lon > -125.5 && lon < -66) return MAIN;
  if (lat > 17 && lat < 19 && lon > -68 && lon < -64) return ISLANDS;
  if (lat > 51 && lat < 72 && lon > -172 && lon < -129) return ALASKA;
  if (lat > 18 && lat < 23 && lon > -161 && lon < -154) return HAWAII;
  return null;
}

// A function (place -> [x, y] in pixels, null for a place that is not shown) for a box of width x height that shows `places`.
export function fit(places, width, height) {
  const pad = Math.max(10, Math.min(26, width / 40));
  const transforms = new Map();
  const bounds = new Map();
  for (const place of places) {
    const region = regionOf(place);
    if (!region) continue;
    const [x, y] = region.of(place.lat, place.lon);
    const b = bounds.get(region) ?? [x, x, y, y];
    bounds.set(region, [Math.min(b[0], x), Math.max(b[1], x), Math.min(b[2], y), Math.max(b[3], y)]);
  }
  const box = (region, left, top, w, h) => {
    const b = bounds.get(region);
    if (!b) return;
    const scale = Math.min(w / (b[1] - b[0] || 1), h / (b[3] - b[2] || 1));
    const dx = left + (w - scale * (b[1] - b[0])) / 2 - scale * b[0];
    const dy = top + (h - scale * (b[3] - b[2])) / 2 - scale * b[2];
    transforms.set(region, (x, y) => [dx + scale * x, dy + scale * y]);
  };
  box(MAIN, pad, pad, width - 2 * pad, height - 2 * pad);
  box(ALASKA, pad, height * 0.78, width * 0.15, height * 0.2);
  box(HAWAII, width * 0.2, height * 0.87, width * 0.1, height * 0.1);
  box(ISLANDS, width * 0.86, height * 0.84, width * 0.09, height * 0.05);
  return (place) => {
    const region = regionOf(place);
    const transform = region && transforms.get(region);
    return transform ? transform(...region.of(place.lat, place.lon)) : null;
  };
}

// Points of the great circle from a to b, both included.
export function greatCircle(a, b, count = 40) {
  const vector = ({ lat, lon }) => [
    Math.cos(lat * RAD) * Math.cos(lon * RAD), Math.cos(lat * RAD) * Math.sin(lon * RAD), Math.sin(lat * RAD),
  ];
  const [u, v] = [vector(a), vector(b)];
  const angle = Math.acos(Math.min(1, u[0] * v[0] + u[1] * v[1] + u[2] * v[2])) || 1e-9;
  return Array.from({ length: count + 1 }, (_, i) => {
    const f = i / count;
    const [p, q] = [Math.sin((1 - f) * angle) / Math.sin(angle), Math.sin(f * angle) / Math.sin(angle)];
    const [x, y, z] = [0, 1, 2].map((k) => p * u[k] + q * v[k]);
    return { lat: Math.asin(z) / RAD, lon: Math.atan2(y, x) / RAD };
  });
}

// The way of a flight on the page: along the great circle where that lies on the map, else in a bow to the box.
export function wayOf(a, b, at) {
  const [start, end] = [at(a), at(b)];
  if (!start || !end) return null;
  if (regionOf(a) === MAIN && regionOf(b) === MAIN) {
    const { of } = MAIN;
    const [pa, pb] = [of(a.lat, a.lon), of(b.lat, b.lon)];
    // The transform of the main box, from the two ends (it scales both ways alike).
    const far = Math.abs(pb[0] - pa[0]) > Math.abs(pb[1] - pa[1]) ? 0 : 1;
    const scale = (end[far] - start[far]) / (pb[far] - pa[far] || 1e-9);
    return greatCircle(a, b).map(({ lat, lon }) => {
      const [x, y] = of(lat, lon);
      return [start[0] + (x - pa[0]) * scale, start[1] + (y - pa[1]) * scale];
    });
  }
  const middle = [(start[0] + end[0]) / 2, Math.min(start[1], end[1]) - Math.abs(end[0] - start[0]) * 0.04];
  return Array.from({ length: 41 }, (_, i) => {
    const f = i / 40;
    return [0, 1].map((k) => (1 - f) ** 2 * start[k] + 2 * f * (1 - f) * middle[k] + f ** 2 * end[k]);
  });
}
