import { watchDialogLinks } from "../shared/dialogs.js";

watchDialogLinks();
