// Who and what comes up most.

import { computed, onBeforeUnmount, reactive } from "../vendor/vue.js";
import { when } from "../show.js";

const LANES = { people: "People", places: "Places", categories: "Areas of life" };

export const NameView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const maps = reactive({ people: new Map(), places: new Map(), categories: new Map() });
    const ends = Object.keys(LANES).map((lane) => host.map(`/person/${me.person}`, lane, (entries) => (maps[lane] = new Map(entries))));
    onBeforeUnmount(() => ends.forEach((end) => end()));
    const tables = computed(() =>
      Object.entries(LANES).map(([lane, title]) => ({ title, rows: [...maps[lane]].sort((a, b) => b[1].count - a[1].count).slice(0, 60) })),
    );
    return { tables, when };
  },
  template: `
    <section v-for="table in tables" :key="table.title">
      <h2>{{ table.title }}</h2>
      <p v-if="!table.rows.length" class="quiet">None yet.</p>
      <table v-else>
        <thead><tr><th>Name</th><th class="number">Times</th><th>Last</th></tr></thead>
        <tbody><tr v-for="[name, tally] in table.rows" :key="name"><td>{{ name }}</td><td class="number">{{ tally.count }}</td><td>{{ when(tally.last) }}</td></tr></tbody>
      </table>
    </section>`,
};
