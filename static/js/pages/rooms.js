import { watchCopyButtons } from "../dashboard/copy_link.js";

watchCopyButtons();
