import { watchDialogLinks } from "../shared/controls/dialogs.js";

watchDialogLinks();
