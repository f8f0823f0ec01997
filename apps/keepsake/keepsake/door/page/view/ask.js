// Ask one's own memories, or another person's within a grant; say which memories were right.

import { reactive, ref } from "../vendor/vue.js";
import { trouble, when, zone } from "../show.js";

export const AskView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const what = reactive({ text: "", about: "", grant: "", style: "quote", asOf: "" });
    const asked = ref([]);
    const error = ref("");
    const isBusy = ref(false);
    async function ask() {
      if (!what.text.trim()) return;
      isBusy.value = true;
      error.value = "";
      const body = { text: what.text, about: what.about.trim(), grant: what.grant.trim(), style: what.style, zone: zone() };
      if (what.asOf) body.as_of = new Date(`${what.asOf}T23:59:59`).getTime() / 1000;
      const begun = performance.now();
      try {
        const found = await host.json("/ask", { method: "POST", body: JSON.stringify(body) });
        asked.value.unshift({ ...found, text: what.text, about: body.about, took: performance.now() - begun, right: [], rated: "" });
        what.text = "";
      } catch (trouble_) {
        error.value = trouble(trouble_);
      } finally {
        isBusy.value = false;
      }
    }
    async function rate(entry, isUnknowable) {
      try {
        await host.command(entry.question, "rate", { right: isUnknowable ? [] : entry.right, is_unknowable: isUnknowable });
        entry.rated = "thank you, the model learns from it";
      } catch (trouble_) {
        entry.rated = trouble(trouble_);
      }
    }
    return { what, asked, error, isBusy, me, ask, rate, when };
  },
  template: `
    <section>
      <h2>Ask</h2>
      <form @submit.prevent="ask">
        <div class="row">
          <input v-model="what.text" aria-label="Question" placeholder="When did I last see Ilse?" style="flex: 1">
          <button class="main" :disabled="isBusy">Ask</button>
        </div>
        <details>
          <summary class="quiet">Whose memories, and how</summary>
          <div class="row">
            <label>As of<input v-model="what.asOf" type="date"></label>
            <label>Style<select v-model="what.style"><option value="quote">quotes</option><option value="mentor">mentor</option><option value="prose">prose, where an endpoint is configured</option></select></label>
            <label>Another person<input v-model="what.about" :placeholder="me.person" autocomplete="off"></label>
            <label>Their grant<input v-model="what.grant" autocomplete="off"></label>
          </div>
        </details>
      </form>
      <p v-if="error" class="bad" role="alert">{{ error }}</p>
    </section>
    <section v-for="entry in asked" :key="entry.question" aria-live="polite">
      <p class="quiet">{{ entry.text }}<template v-if="entry.about">, asked of {{ entry.about }}</template></p>
      <template v-if="entry.answer">
        <p><strong :class="{ quiet: !entry.answer.is_known }">{{ entry.answer.text }}</strong></p>
        <blockquote v-for="citation in entry.answer.citations">
          <label style="color: inherit; font-size: 1rem"><input v-if="!entry.about" v-model="entry.right" type="checkbox" :value="citation.memory" style="width: auto"> {{ citation.text }}</label>
          <span class="quiet">{{ citation.speaker || entry.about || me.person }}, {{ when(citation.said_at) }}<template v-if="citation.date">; {{ citation.date }}</template><template v-if="citation.source.title || citation.source.app">; {{ citation.source.title || citation.source.app }}</template></span>
        </blockquote>
        <p v-if="entry.answer.unsupported.length" class="bad">Without support: {{ entry.answer.unsupported.join(" ") }}</p>
        <div class="row quiet">
          <span>{{ entry.answer.label }}; sure to {{ Math.round(entry.answer.confidence * 100) }} %, {{ Math.round(entry.took) }} ms</span>
          <template v-if="!entry.about && !entry.rated">
            <button :disabled="!entry.right.length" @click="rate(entry, false)">The chosen ones are right</button>
            <button @click="rate(entry, true)">Nothing here can answer it</button>
          </template>
          <span>{{ entry.rated }}</span>
        </div>
      </template>
      <p v-else class="bad">{{ entry.refusal || "no answer yet; it will be in the question's lanes" }}</p>
    </section>`,
};
