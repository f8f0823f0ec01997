// The person's model: what it learnt from, how good its parts are, and its learning as it goes.

import { computed, onBeforeUnmount, ref } from "../vendor/vue.js";
import { span, trouble, when } from "../show.js";

export const ModelView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const node = `/person/${me.person}`;
    const model = ref({});
    const jobs = ref(new Map());
    const deletions = ref(new Map());
    const error = ref("");
    const ends = [
      host.value(node, "model", (state) => (model.value = state ?? {})),
      host.map(node, "learning", (entries) => (jobs.value = new Map(entries))),
      host.map(node, "forgetting", (entries) => (deletions.value = new Map(entries))),
    ];
    onBeforeUnmount(() => ends.forEach((end) => end()));
    async function learn(isWhole) {
      error.value = "";
      try {
        await host.command(node, "learn", isWhole);
      } catch (trouble_) {
        error.value = trouble(trouble_);
      }
    }
    const rows = computed(() => [...jobs.value.values(), ...deletions.value.values()].sort((a, b) => b.submitted - a.submitted).slice(0, 8));
    const parts = computed(() => Object.entries(model.value.parts ?? {}));
    return { me, model, parts, rows, error, learn, when, span };
  },
  template: `
    <section>
      <h2>Model of {{ me.person }}</h2>
      <div class="figures">
        <div><b>{{ model.version ?? 0 }}</b>version</div>
        <div><b>{{ model.built_to ?? 0 }}</b>of {{ me.figures.head ?? 0 }} messages learnt from</div>
        <div><b>{{ model.feedback ?? 0 }}</b>pieces of feedback</div>
        <div><b>{{ span(model.took_s) }}</b>to learn{{ model.learnt_at ? ", " + when(model.learnt_at) : "" }}</div>
      </div>
      <p class="row"><button class="main" @click="learn(false)">Learn what is new</button><button @click="learn(true)">Make everything anew</button></p>
      <p v-if="error" class="bad" role="alert">{{ error }}</p>
      <table>
        <thead><tr><th>Part</th><th class="number">Version</th><th class="number">Learnt from</th><th>Live against new, held out</th><th>Why</th></tr></thead>
        <tbody>
          <tr v-for="[name, part] in parts" :key="name">
            <td>{{ name }}</td><td class="number">{{ part.version }}</td><td class="number">{{ part.learnt_from }}</td>
            <td>{{ part.measure ? part.champion.toFixed(3) + " / " + part.challenger.toFixed(3) + ", " + part.held_out : "" }}</td><td>{{ part.reason }}</td>
          </tr>
        </tbody>
      </table>
    </section>
    <section>
      <h2>Under way</h2>
      <p v-if="!rows.length" class="quiet">Nothing was asked for.</p>
      <div v-for="job in rows" class="line">
        <div class="row"><span>{{ job.about || "learning" }}: {{ job.state }}</span><span class="quiet">{{ when(job.submitted) }} {{ job.note }}</span></div>
        <progress v-if="job.state === 'running'" :value="job.progress ?? undefined" max="1"></progress>
        <p v-if="job.error" class="bad">{{ job.error }}</p>
      </div>
    </section>`,
};
