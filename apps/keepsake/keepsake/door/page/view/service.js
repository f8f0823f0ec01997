// Streams and work queues: what is on its way, what sound costs, how many workers would do.

import { computed, onActivated, onDeactivated, ref } from "../vendor/vue.js";
import { size, span, trouble, when } from "../show.js";

const LOOK_MS = 2000;
const PRICE = "keepsake-price";

export const ServiceView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const queues = ref({});
    const error = ref("");
    const price = ref(Number(localStorage.getItem(PRICE) ?? 0.04));
    async function look() {
      try {
        queues.value = (await host.json("/service")).queues;
        error.value = "";
      } catch (trouble_) {
        error.value = trouble(trouble_);
      }
    }
    let timer = 0;
    onActivated(() => {
      look();
      timer = setInterval(look, LOOK_MS);
    });
    onDeactivated(() => clearInterval(timer));
    const streams = computed(() => [...me.streams].sort((a, b) => b[1].changed - a[1].changed).slice(0, 100));
    // Seconds of a core for an hour of sound, and what they cost.
    const hour = computed(() => (me.figures.heard_s > 0 ? (3600 * me.figures.busy_s) / me.figures.heard_s : 0));
    const cost = computed(() => (hour.value / 3600) * price.value);
    const keep = () => localStorage.setItem(PRICE, String(price.value));
    return { me, queues, error, streams, hour, price, cost, keep, size, span, when };
  },
  template: `
    <section>
      <h2>In figures</h2>
      <div class="figures">
        <div><b>{{ me.figures.messages ?? 0 }}</b>messages</div>
        <div><b>{{ me.figures.memories ?? 0 }}</b>memories</div>
        <div><b>{{ size(me.figures.bytes) }}</b>captured</div>
        <div><b>{{ span(me.figures.heard_s) }}</b>of sound understood</div>
        <div><b>{{ hour ? span(hour) : "-" }}</b>of a core for an hour of sound</div>
        <div><b>{{ hour ? cost.toFixed(3) : "-" }}</b>for an hour of sound, at <input v-model.number="price" type="number" step="0.01" min="0" aria-label="Price of an hour of a core" style="width: 5.5rem" @change="keep"> an hour of a core</div>
      </div>
    </section>
    <section>
      <h2>Work queues</h2>
      <p v-if="error" class="bad" role="alert">{{ error }}</p>
      <table>
        <thead><tr><th>Queue</th><th class="number">Waiting</th><th class="number">Running</th><th class="number">Oldest</th><th class="number">In / out a second</th><th class="number">Workers</th><th class="number">Suggested</th></tr></thead>
        <tbody><tr v-for="(queue, name) in queues" :key="name"><td>{{ name }}</td><td class="number">{{ queue.depth }}</td><td class="number">{{ queue.running }}</td><td class="number">{{ span(queue.oldest_s) }}</td><td class="number">{{ (queue.rate_in ?? 0).toFixed(1) }} / {{ (queue.rate_out ?? 0).toFixed(1) }}</td><td class="number">{{ queue.workers }}</td><td class="number">{{ queue.suggested_workers }}</td></tr></tbody>
      </table>
    </section>
    <section>
      <h2>Streams</h2>
      <p v-if="!streams.length" class="quiet">None yet.</p>
      <table v-else>
        <thead><tr><th>Stream</th><th>Kind</th><th class="number">Received</th><th class="number">Stored</th><th class="number">Aside</th><th class="number">Size</th><th class="number">Sound</th><th>Last</th></tr></thead>
        <tbody><tr v-for="[name, stream] in streams" :key="name"><td>{{ name }}</td><td>{{ stream.kind }}</td><td class="number">{{ stream.received }}</td><td class="number">{{ stream.stored }}</td><td class="number" :class="{ bad: stream.aside }">{{ stream.aside }}</td><td class="number">{{ size(stream.bytes) }}</td><td class="number">{{ stream.seconds ? span(stream.seconds) : "" }}</td><td>{{ when(stream.changed) }}</td></tr></tbody>
      </table>
    </section>`,
};
