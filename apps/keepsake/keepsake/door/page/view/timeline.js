// What was kept last, newest first; each can be forgotten.

import { computed, onBeforeUnmount, ref } from "../vendor/vue.js";
import { trouble, when } from "../show.js";

export const TimelineView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const node = `/person/${me.person}`;
    const entries = ref(new Map());
    const wanted = ref("");
    const error = ref("");
    const isAway = ref(false);
    const end = host.map(node, "timeline", (lines) => (entries.value = new Map(lines)));
    onBeforeUnmount(end);
    const lines = computed(() => {
      const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (line) => words.every((word) => `${line.text} ${line.speaker} ${line.areas.join(" ")} ${line.meant}`.toLowerCase().includes(word));
      return [...entries.value.values()].filter(fits).sort((a, b) => b.said_at - a.said_at);
    });
    async function forget(line) {
      if (!confirm(`Forget this for good?\n\n${line.text}`)) return;
      error.value = "";
      try {
        await host.command(node, "forget", { kind: "message", messages: [line.memory.split("#")[0]], stream: "" });
      } catch (trouble_) {
        error.value = trouble(trouble_);
      }
    }
    async function take() {
      isAway.value = true;
      error.value = "";
      try {
        const content = await (await host.fetch(`/export/${me.person}`)).blob();
        const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: `${me.person}.zip` });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      } catch (trouble_) {
        error.value = trouble(trouble_);
      } finally {
        isAway.value = false;
      }
    }
    return { lines, wanted, error, isAway, forget, take, when };
  },
  template: `
    <section>
      <div class="row">
        <h2 style="flex: 1">Timeline</h2>
        <button :disabled="isAway" @click="take">{{ isAway ? "Packing..." : "Take everything away" }}</button>
      </div>
      <input v-model="wanted" type="search" aria-label="Words to look for" placeholder="Words to look for among the last">
      <p v-if="error" class="bad" role="alert">{{ error }}</p>
      <p v-if="!lines.length" class="quiet">Nothing here yet.</p>
      <div v-for="line in lines" :key="line.memory" class="line">
        <p>{{ line.text }}</p>
        <div class="row quiet">
          <span>{{ when(line.said_at) }}</span>
          <span v-if="line.speaker">{{ line.speaker }}</span>
          <span v-if="line.meant">means {{ line.meant }}</span>
          <span v-if="line.app">{{ line.app }}</span>
          <span><span v-for="area in line.areas" class="chip">{{ area }}</span></span>
          <button class="danger" @click="forget(line)">Forget</button>
        </div>
      </div>
    </section>`,
};
