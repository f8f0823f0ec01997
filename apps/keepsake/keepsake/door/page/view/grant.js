// Grants: who may ask what, until when; and what one should know of.

import { computed, onBeforeUnmount, reactive, ref } from "../vendor/vue.js";
import { trouble, when } from "../show.js";

const list = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);

export const GrantView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const node = `/person/${me.person}`;
    const grants = ref(new Map());
    const give = reactive({ to: "", days: 30, areas: "", names: "", without: "", purpose: "", mentor: false });
    const token = ref("");
    const error = ref("");
    onBeforeUnmount(host.map(node, "grants", (entries) => (grants.value = new Map(entries))));
    async function attempt(work) {
      error.value = "";
      try {
        await work();
      } catch (trouble_) {
        error.value = trouble(trouble_);
      }
    }
    const grant = () =>
      attempt(async () => {
        const value = {
          to: give.to.trim(),
          until: Date.now() / 1000 + give.days * 86400,
          verbs: give.mentor ? ["ask", "mentor"] : ["ask"],
          areas: list(give.areas),
          names: list(give.names),
          without: list(give.without),
          purpose: give.purpose,
        };
        token.value = (await host.command(node, "give", value)).token;
      });
    const revoke = (id) => attempt(() => host.command(node, "revoke", id));
    const rows = computed(() => [...grants.value].sort((a, b) => b[1].until - a[1].until));
    const now = () => Date.now() / 1000;
    return { me, give, token, error, rows, grant, revoke, when, now };
  },
  template: `
    <section>
      <h2>Let somebody ask</h2>
      <form @submit.prevent="grant">
        <div class="row">
          <label>Who<input v-model="give.to" required autocomplete="off"></label>
          <label>Days<input v-model.number="give.days" type="number" min="1" max="3650"></label>
          <label>What for<input v-model="give.purpose"></label>
        </div>
        <div class="row">
          <label>Only these areas of life, by commas<input v-model="give.areas"></label>
          <label>Only about these names<input v-model="give.names"></label>
          <label>Nothing with these words<input v-model="give.without"></label>
        </div>
        <div class="row"><label style="flex: 0 0 auto"><input v-model="give.mentor" type="checkbox" style="width: auto"> answers as a mentor, too</label><button class="main" :disabled="!give.to">Give</button></div>
      </form>
      <p v-if="error" class="bad" role="alert">{{ error }}</p>
      <p v-if="token">Give them this; it is shown once: <code>{{ token }}</code></p>
    </section>
    <section>
      <h2>Given</h2>
      <p v-if="!rows.length" class="quiet">None yet.</p>
      <table v-else>
        <thead><tr><th>To</th><th>For</th><th>Until</th><th></th></tr></thead>
        <tbody><tr v-for="[id, grant] in rows" :key="id"><td>{{ grant.to }}</td><td>{{ grant.purpose }}</td><td>{{ when(grant.until) }}</td>
          <td><span v-if="grant.revoked" class="quiet">taken back {{ when(grant.revoked) }}</span><span v-else-if="grant.until < now()" class="quiet">over</span><button v-else class="danger" @click="revoke(id)">Take back</button></td></tr></tbody>
      </table>
    </section>
    <section>
      <h2>To know</h2>
      <p v-if="!me.notices.length" class="quiet">Nothing.</p>
      <div v-for="notice in [...me.notices].reverse().slice(0, 30)" class="line row"><span>{{ { asked: "Somebody was answered within a grant", capsule: "A capsule has opened", deletion: "A deletion is not over" }[notice.kind] ?? notice.kind }}</span><span class="quiet">{{ when(notice.at) }}</span></div>
    </section>`,
};
