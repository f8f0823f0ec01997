// Time capsules: closed until a day or an event, unreadable before.

import { computed, onBeforeUnmount, reactive, ref } from "../vendor/vue.js";
import { chance, trouble, when } from "../show.js";

export const CapsuleView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const node = `/person/${me.person}`;
    const capsules = ref(new Map());
    const contents = reactive({});
    const fill = reactive({ text: "", at: "", event: "" });
    const word = ref("");
    const error = ref("");
    onBeforeUnmount(host.map(node, "capsules", (entries) => (capsules.value = new Map(entries))));
    async function attempt(work) {
      error.value = "";
      try {
        await work();
      } catch (trouble_) {
        error.value = trouble(trouble_);
      }
    }
    const close = () =>
      attempt(async () => {
        const at = fill.at ? new Date(fill.at).getTime() / 1000 : null;
        await host.command(`${node}/capsule/${chance()}`, "fill", { text: fill.text, opens_at: at, event: fill.event.trim() });
        Object.assign(fill, { text: "", at: "", event: "" });
      });
    const read = (id) => attempt(async () => (contents[id] = await host.get(`${node}/capsule/${id}`, "content")));
    const tell = () =>
      attempt(async () => {
        for (const [id, state] of capsules.value) if (state.has_event && !state.opened_at) await host.command(`${node}/capsule/${id}`, "event", word.value.trim());
        word.value = "";
      });
    const rows = computed(() => [...capsules.value].sort((a, b) => b[1].sealed_at - a[1].sealed_at));
    return { fill, rows, contents, word, error, close, read, tell, when };
  },
  template: `
    <section>
      <h2>Close a capsule</h2>
      <form @submit.prevent="close">
        <textarea v-model="fill.text" rows="3" aria-label="Content" placeholder="To be read later. Nobody can before, you neither." required></textarea>
        <div class="row">
          <label>Opens on<input v-model="fill.at" type="datetime-local"></label>
          <label>or when this event comes, a word of yours<input v-model="fill.event" autocomplete="off"></label>
          <button class="main" :disabled="!fill.text || (!fill.at && !fill.event)">Close it</button>
        </div>
      </form>
      <p v-if="error" class="bad" role="alert">{{ error }}</p>
    </section>
    <section>
      <h2>Capsules</h2>
      <form class="row" @submit.prevent="tell"><input v-model="word" aria-label="Event" placeholder="An event that has come" style="flex: 1"><button :disabled="!word.trim()">It has come</button></form>
      <p v-if="!rows.length" class="quiet">None yet.</p>
      <div v-for="[id, state] in rows" :key="id" class="line">
        <div class="row">
          <span>closed {{ when(state.sealed_at) }}</span>
          <span v-if="state.opened_at" class="good">opened {{ when(state.opened_at) }}</span>
          <span v-else class="quiet">{{ state.opens_at ? "opens " + when(state.opens_at) : "opens with its event" }}{{ state.opens_at && state.has_event ? ", or with its event" : "" }}</span>
          <button v-if="state.opened_at && !contents[id]" @click="read(id)">Read</button>
        </div>
        <blockquote v-if="contents[id]" style="white-space: pre-wrap">{{ contents[id] }}</blockquote>
      </div>
    </section>`,
};
