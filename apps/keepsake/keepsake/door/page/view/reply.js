// What one might reply to somebody, in one's own words; taking it, changing it or leaving it trains the model.

import { reactive, ref } from "../vendor/vue.js";
import { chance, trouble } from "../show.js";

export const ReplyView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const message = ref("");
    const offered = reactive({ node: "", offers: null, text: "", told: "" });
    const error = ref("");
    const isBusy = ref(false);
    async function attempt(work) {
      error.value = "";
      isBusy.value = true;
      try {
        await work();
      } catch (trouble_) {
        error.value = trouble(trouble_);
      } finally {
        isBusy.value = false;
      }
    }
    const ask = () =>
      attempt(async () => {
        const node = `/person/${me.person}/suggestion/${chance()}`;
        const offers = await host.command(node, "ask", message.value);
        Object.assign(offered, { node, offers: offers ?? [], text: offers?.[0]?.text ?? "", told: "" });
      });
    const decide = (text) =>
      attempt(async () => {
        const state = await host.command(offered.node, "decide", text);
        if (text) await navigator.clipboard?.writeText(text).catch(() => {});
        const words = { accepted: "taken as it was", edited: "taken with your changes", left: "left" };
        Object.assign(offered, { offers: null, told: `${words[state] ?? state}; the model learns from it` });
      });
    return { message, offered, error, isBusy, ask, decide };
  },
  template: `
    <section>
      <h2>Reply</h2>
      <form @submit.prevent="ask">
        <textarea v-model="message" rows="3" aria-label="Message" placeholder="What somebody wrote to you"></textarea>
        <p class="row"><button class="main" :disabled="isBusy || !message.trim()">Suggest a reply</button><span class="quiet" role="status">{{ offered.told }}</span></p>
      </form>
      <p v-if="error" class="bad" role="alert">{{ error }}</p>
    </section>
    <section v-if="offered.offers" aria-live="polite">
      <p v-if="!offered.offers.length">Nothing that you said fits.</p>
      <template v-else>
        <blockquote v-for="offer in offered.offers"><button @click="offered.text = offer.text">Take</button> {{ offer.text }}</blockquote>
        <textarea v-model="offered.text" rows="3" aria-label="Reply"></textarea>
        <p class="row"><button class="main" :disabled="isBusy || !offered.text.trim()" @click="decide(offered.text)">Copy and use it</button><button @click="decide('')">None of these</button>
        <span class="quiet">put together by an AI from your own words</span></p>
      </template>
    </section>`,
};
